use headstart::Headstart;

async fn page() -> &'static str {
    "page"
}

async fn serve(headstart: Headstart, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    headstart.serve(listener, None, page).await
}

fn main() {}

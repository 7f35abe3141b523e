use axum::Router;
use headstart::Headstart;

async fn serve(headstart: Headstart, app: Router) -> std::io::Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    headstart.serve(listener, None, app).await
}

fn main() {}

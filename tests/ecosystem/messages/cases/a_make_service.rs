use axum::Router;
use headstart::Headstart;

async fn serve(headstart: Headstart, listener: tokio::net::TcpListener, app: Router) -> std::io::Result<()> {
    headstart.serve(listener, None, app.into_make_service()).await
}

fn main() {}

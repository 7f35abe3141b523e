use axum::Router;
use headstart::Headstart;

#[derive(Clone)]
struct Database;

async fn serve(headstart: Headstart, listener: tokio::net::TcpListener, app: Router<Database>) -> std::io::Result<()> {
    headstart.serve(listener, None, app).await
}

fn main() {}

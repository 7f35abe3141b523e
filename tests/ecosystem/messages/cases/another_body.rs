use std::convert::Infallible;

use headstart::Headstart;
use http::{Request, Response};

async fn page(_: Request<String>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

async fn serve(headstart: Headstart, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    headstart.serve(listener, None, tower::service_fn(page)).await
}

fn main() {}

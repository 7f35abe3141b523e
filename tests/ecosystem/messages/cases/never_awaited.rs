#![deny(unused_must_use)]

use axum::Router;
use headstart::Headstart;

fn serve(headstart: &Headstart, listener: tokio::net::TcpListener, app: Router) {
    headstart.serve(listener, None, app);
}

fn main() {}

//! The tower layer under `axum::serve`, for a server that stays as it is: it learns, and names a page's assets in `Link`.
//! Pushes and 103 need `Headstart::serve` (see `axum_app`).
//!
//! `cargo run --package headstart-examples --example axum_layer [ADDRESS]`, then load the page a few times in a browser, or
//! with `curl -A me -i http://127.0.0.1:8080/` and the stylesheet with `-e http://127.0.0.1:8080/`.

use std::net::SocketAddr;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::Headstart;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    // On loopback all clients are one network: let one teach. Elsewhere leave the default of three.
    let headstart = Headstart::builder().min_networks(1).holdout(0).build()?;
    let app = Router::new()
        .route("/", get(async || Html("<link rel=stylesheet href=/app.css><h1>Hello</h1>")))
        .route("/app.css", get(async || ([(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")], "h1 {}")))
        .layer(headstart.layer());

    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    // The layer has to know who asks: with the feature `axum` it reads axum's `ConnectInfo`.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

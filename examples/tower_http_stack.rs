//! Beside the layers of tower-http that an application already has: nothing of them changes, and the order does not
//! matter to Headstart, which stands around all of them.
//!
//! `cargo run --package headstart-examples --example tower_http_stack [ADDRESS]`

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::Headstart;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{HeaderName, StatusCode};
use tower::Layer as _;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let site = concat!(env!("CARGO_MANIFEST_DIR"), "/site");

    // Assets are sent early only if browsers may keep them for a while: files by themselves say nothing of that.
    let fresh = SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    let nosniff = HeaderName::from_static("x-content-type-options");
    let app = Router::new()
        .route("/", get(async || Html(include_str!("site/index.html"))))
        .fallback_service(fresh.layer(ServeDir::new(site)))
        .layer(SetResponseHeaderLayer::overriding(nosniff, HeaderValue::from_static("nosniff")))
        // What a page says of its assets is read in gzip and Brotli, too.
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(30)))
        .layer(TraceLayer::new_for_http());

    // On loopback all clients are one network: let one teach. Elsewhere leave the default of three.
    let headstart = Headstart::builder().min_networks(1).holdout(0).on_page_view(|view| println!("{view}")).build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    headstart.serve(listener, None, app).await?;
    Ok(())
}

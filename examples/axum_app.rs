//! An axum application whose pages are helped: nothing in it knows of HTTP/2 but the last lines of `main`.
//!
//! `cargo run --package headstart-examples --example axum_app [ADDRESS]`, then a few times
//! `nghttp --get-assets --no-verify-peer https://127.0.0.1:8443/` and watch the log: the second visit is pushed to.

use std::sync::Arc;

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use headstart::{Assets, Destination, Headstart};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8443".to_owned());
    let app = Router::new()
        .route("/", get(page))
        .route("/named", get(named))
        .route("/app.css", get(async || asset("text/css", "h1 { color: teal }")))
        .route("/app.js", get(async || asset("text/javascript", "document.title += '!'")));

    // On loopback all clients are one network: let one teach. Elsewhere leave the default of three.
    let headstart = Headstart::builder().min_networks(1).holdout(0).on_page_view(|view| println!("{view}")).build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("https://{}/", listener.local_addr()?);
    headstart.serve(listener, self_signed()?, app).await?;
    Ok(())
}

/// What this page needs is learned from the clients that load it.
async fn page() -> Html<&'static str> {
    Html("<link rel=stylesheet href=/app.css><h1>Hello</h1><script src=/app.js></script>")
}

/// What this page needs is said by the application; it is sent to the first client already, unless it holds it.
async fn named() -> impl IntoResponse {
    let assets = Assets::new().with("/app.css", Destination::Style);
    (axum::Extension(assets), Html("<link rel=stylesheet href=/app.css><h1>Named</h1>"))
}

fn asset(media: &'static str, body: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, media), (CACHE_CONTROL, "public, max-age=3600")], body)
}

/// A certificate for a try.
fn self_signed() -> Result<Arc<rustls::ServerConfig>, Box<dyn std::error::Error>> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], own.signing_key.serialize_der().try_into()?)?;
    Ok(Arc::new(config))
}

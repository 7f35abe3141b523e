//! gRPC and pages on one port: tonic's services are an axum router, and both are one service. Here it is tonic's own health
//! service; one of yours goes to `add_service` the same way. Calls are neither learned from nor helped.
//!
//! `cargo run --package headstart-examples --example tonic_beside_axum [ADDRESS]`, then
//! `grpcurl -plaintext 127.0.0.1:8080 grpc.health.v1.Health/Check`

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::Headstart;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tonic::service::Routes;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let (_reporter, health) = tonic_health::server::health_reporter();
    let calls = Routes::new(health).prepare().into_axum_router();
    let app = Router::new()
        .route("/", get(async || Html("<link rel=stylesheet href=/app.css><h1>Hello</h1>")))
        .route("/app.css", get(async || ([(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")], "h1 {}")))
        // What is no page is a call.
        .fallback_service(calls);

    // On loopback all clients are one network: let one teach. Elsewhere leave the default of three.
    let headstart = Headstart::builder().min_networks(1).holdout(0).on_page_view(|view| println!("{view}")).build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    headstart.serve(listener, None, app).await?;
    Ok(())
}

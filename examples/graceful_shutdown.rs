//! A stop that loses no request: on SIGTERM, as systemd and Kubernetes send it, or Ctrl-C the server takes no new
//! connections, tells HTTP/2 clients so (GOAWAY), answers what is under way, and ends.
//!
//! `cargo run --package headstart-examples --example graceful_shutdown [ADDRESS]`

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use headstart::Headstart;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let app = Router::new().route("/", get(async || "quick")).route(
        "/slow",
        get(async || {
            println!("at work");
            tokio::time::sleep(Duration::from_secs(1)).await;
            "done"
        }),
    );

    let headstart = Headstart::builder().build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("http://{}/", listener.local_addr()?);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        println!("stopping");
    };
    headstart
        .serve(listener, None, app)
        .with_graceful_shutdown(stop)
        // Less than the supervisor waits before it kills: 90 s for systemd, 30 s for Kubernetes.
        .drain(Duration::from_secs(20))
        .await?;
    println!("stopped");
    Ok(())
}

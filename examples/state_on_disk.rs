//! What was learned outlives the process: it is read at the start, saved every 30 s, and saved once more when the server
//! ends, here by Ctrl-C.
//!
//! `cargo run --package headstart-examples --example state_on_disk [FILE] [ADDRESS]`

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::Headstart;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| "learned.headstart".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());

    // A file that is damaged is an error that names it; it is never overwritten.
    let headstart = Headstart::builder().state(file).build()?;
    let app = Router::new().route("/", get(async || Html("<h1>Hello</h1>")));
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    // Requests under way are answered first.
    let server = headstart.serve(listener, None, app).with_graceful_shutdown(async {
        let _ = tokio::signal::ctrl_c().await;
    });
    server.await?;
    println!("saved");
    Ok(())
}

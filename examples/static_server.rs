//! A static file server in thirty lines, without TLS: for use behind a balancer, or to try with prior knowledge.
//!
//! `cargo run --package headstart-examples --example static_server [DIRECTORY] [ADDRESS]`, then a few times
//! `nghttp --get-assets -ns http://127.0.0.1:8080/`. The `headstart` program is the grown-up version.

use headstart::{Headstart, VerifyHeld};
use tower_http::services::ServeDir;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/site").to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());

    let headstart = Headstart::builder()
        .min_networks(1)
        .holdout(0)
        // Files are cheap to look at: notice at once when one has changed.
        .verify_held(VerifyHeld::Always)
        .on_page_view(|view| println!("{view}"))
        .build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    headstart.serve(listener, None, ServeDir::new(directory)).await?;
    Ok(())
}

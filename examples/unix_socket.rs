//! On a Unix socket, behind a proxy of the same machine: no port, and the file's permissions say who may connect.
//! HTTP/1.1 and HTTP/2 with prior knowledge both work on it.
//!
//! `cargo run --package headstart-examples --example unix_socket [PATH]`, then
//! `curl --unix-socket app.sock -H 'X-Forwarded-For: 192.0.2.1' http://localhost/`

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::policy::ClientAddress;
use headstart::{ForwardedBy, Headstart};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "app.sock".to_owned());
    let app = Router::new().route("/", get(page));

    // Whoever connects counts as 127.0.0.1; the proxy says for whom.
    let headstart =
        Headstart::builder().trusted_proxies(["127.0.0.1/32".parse()?], ForwardedBy::XForwardedFor).build()?;
    // A server that was killed leaves its socket behind, which keeps the next from binding.
    let _ = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(&path)?;
    println!("{path}");
    headstart.serve(listener, None, app).await?;
    Ok(())
}

/// The client's address is there for handlers, too.
async fn page(request: axum::extract::Request) -> Html<String> {
    let client = request.extensions().get().map(|ClientAddress(client)| client.to_string());
    Html(format!("<h1>Hello {}</h1>", client.unwrap_or_default()))
}

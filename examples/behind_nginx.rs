//! Behind nginx, which does TLS and speaks HTTP/1.1 to the application: what is learned goes out as `Link` on the page.
//! nginx has to name the client, and the application has to trust nginx in that:
//!
//! ```nginx
//! location / {
//!     proxy_pass http://127.0.0.1:8080;
//!     proxy_http_version 1.1;
//!     proxy_set_header Host $host;
//!     proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
//! }
//! ```
//!
//! Pushes and 103 need HTTP/2 as far as the browser: let `Headstart::serve` do TLS, as in `axum_app`, or put the program
//! `headstart proxy` in the place of nginx.
//!
//! `cargo run --package headstart-examples --example behind_nginx [ADDRESS]`

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::{ForwardedBy, Headstart};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let app = Router::new()
        .route("/", get(async || Html("<link rel=stylesheet href=/app.css><h1>Hello</h1>")))
        .route("/app.css", get(async || ([(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")], "h1 {}")));

    let headstart = Headstart::builder()
        // The last address of `X-Forwarded-For` that is none of these is the client. Without this line all clients
        // would be one: nginx.
        .trusted_proxies(["127.0.0.0/8".parse()?, "::1/128".parse()?], ForwardedBy::XForwardedFor)
        .holdout(0) // for the sake of a short try; leave the default
        .on_page_view(|view| println!("{view}"))
        .build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    headstart.serve(listener, None, app).await?;
    Ok(())
}

//! Two listeners with one memory: HTTPS serves, HTTP sends everybody there.
//!
//! `cargo run --package headstart-examples --example two_listeners [HTTPS-ADDRESS] [HTTP-ADDRESS]`

use std::future::IntoFuture as _;
use std::sync::Arc;

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::get;
use headstart::Headstart;
use http::{HeaderMap, StatusCode, Uri, header};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let https = arguments.next().unwrap_or_else(|| "127.0.0.1:8443".to_owned());
    let http = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());

    let https = tokio::net::TcpListener::bind(https).await?;
    let http = tokio::net::TcpListener::bind(http).await?;
    let port = https.local_addr()?.port();
    println!("https://{}/", https.local_addr()?);
    println!("http://{}/", http.local_addr()?);

    let app = Router::new().route("/", get(async || Html("<h1>Hello</h1>")));
    let redirect = Router::new().fallback(async move |headers: HeaderMap, uri: Uri| to_https(&headers, &uri, port));

    // One handle for both: what one listener learns the other knows, and limits of connections count for both.
    let headstart = Headstart::builder().build()?;
    let secure = headstart.serve(https, self_signed()?, app);
    let plain = headstart.serve(http, None, redirect);
    tokio::try_join!(secure.into_future(), plain.into_future())?;
    Ok(())
}

/// 308, so that a form that is sent stays a form.
fn to_https(headers: &HeaderMap, uri: &Uri, port: u16) -> Result<Redirect, StatusCode> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(uri.host());
    let host = host.and_then(|host| host.parse::<http::uri::Authority>().ok()).ok_or(StatusCode::BAD_REQUEST)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    Ok(Redirect::permanent(&format!("https://{}{port}{path}", host.host())))
}

/// A certificate for a try; `real_certificates` reads one from files.
fn self_signed() -> Result<Arc<rustls::ServerConfig>, Box<dyn std::error::Error>> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], own.signing_key.serialize_der().try_into()?)?;
    Ok(Arc::new(config))
}

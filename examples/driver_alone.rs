//! The driver of HTTP/2 with a policy of your own and nothing learned: a list says what each page needs. Clients that take
//! pushes get pushes until they cancel one; all others get a 103.
//!
//! `cargo run --package headstart-examples --example driver_alone [ADDRESS]`, then
//! `nghttp -ns http://127.0.0.1:8080/`

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart_h2::{Config, serve_connection_with};
use headstart_policy::{Client, Opening, Outcome, Policy, Promise};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, header, request};

/// What each page needs.
const NEEDS: &[(&str, &[&str])] = &[("/", &["/app.css", "/app.js"])];

/// Of one connection.
#[derive(Default)]
struct FromTheList {
    cancelled: bool,
}

impl Policy for FromTheList {
    type Exchange = ();
    type Tag = &'static str;

    fn request(&mut self, client: Client, request: &mut request::Parts) -> Opening<(), &'static str> {
        let mut opening = Opening::new(());
        let needs = NEEDS.iter().find(|(page, _)| *page == request.uri.path()).map_or(&[][..], |(_, needs)| needs);
        if client.push && !self.cancelled {
            let promise = |path| Promise {
                path: PathAndQuery::from_static(path),
                headers: HeaderMap::new(),
                priority: None,
                tag: path,
            };
            opening.promises.extend(needs.iter().copied().map(promise));
        } else if !needs.is_empty() {
            let kind = |path: &str| if path.contains(".css") { "style" } else { "script" };
            let links = needs.iter().map(|path| format!("<{path}>; rel=preload; as={}", kind(path)));
            let links = links.filter_map(|link| Some((header::LINK, HeaderValue::try_from(link).ok()?)));
            opening.early_hints = Some(links.collect());
        }
        opening
    }

    fn outcome(&mut self, path: &&'static str, outcome: Outcome) {
        println!("{path}: {outcome:?}");
        self.cancelled |= matches!(outcome, Outcome::Cancelled(_));
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let app = Router::new()
        .route("/", get(async || Html("<link rel=stylesheet href=/app.css><script src=/app.js></script>")))
        .route("/app.css", get(async || "body { color: teal }"))
        .route("/app.js", get(async || "console.log(1)"));
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    let limits = Config::default().with(|limits| limits.max_concurrent_streams = 64);
    loop {
        let (socket, client) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let connection = serve_connection_with(limits.clone(), socket, app.clone(), FromTheList::default());
        tokio::spawn(async move { connection.await.unwrap_or_else(|error| println!("{client}: {error}")) });
    }
}

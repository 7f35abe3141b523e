//! Serves a small page with cleartext HTTP/2 (prior knowledge) and pushes what it needs.
//!
//! `cargo run -p headstart-h2 --example h2c -- 127.0.0.1:8080`, then `nghttp -ns http://127.0.0.1:8080/`.

use axum::Router;
use axum::routing::get;
use headstart_h2::serve_connection;
use headstart_policy::{Client, Opening, Policy, Promise};
use http::{HeaderMap, request::Parts, uri::PathAndQuery};

#[derive(Clone, Copy)]
struct Assets(&'static [&'static str]);

impl Policy for Assets {
    type Exchange = ();
    type Tag = &'static str;

    fn request(&mut self, client: Client, request: &mut Parts) -> Opening<(), &'static str> {
        let mut opening = Opening::new(());
        if client.push && request.uri.path() == "/" {
            opening.promises.extend(self.0.iter().map(|path| Promise {
                path: PathAndQuery::from_static(path),
                headers: HeaderMap::new(),
                priority: None,
                tag: *path,
            }));
        }
        opening
    }

    fn outcome(&mut self, path: &&'static str, outcome: headstart_policy::Outcome) {
        eprintln!("{path}: {outcome:?}");
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("http://{}/", listener.local_addr()?);
    let app = Router::new()
        .route("/", get(|| async { axum::response::Html("<link rel=stylesheet href=/app.css>".repeat(900)) }))
        .route("/app.css", get(|| async { "body{color:teal}".repeat(5000) }))
        .route("/app.js", get(|| async { "console.log(1);".repeat(20_000) }));
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = serve_connection(socket, app, Assets(&["/app.css", "/app.js"])).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

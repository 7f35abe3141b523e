//! The servers, each with the same answer of a few bytes, and no timer that ends an idle connection.

use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use headstart::Headstart;
use http::Response;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// Ours first.
pub(crate) const NAMES: [&str; 4] = ["headstart", "headstart-h2", "h2", "hyper"];

const BODY: &str = "<!doctype html>";
const FOREVER: Duration = Duration::from_secs(3600);

/// Serves on a free port, which it says in a line, until it is killed.
pub(crate) fn serve(which: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        println!("{}", listener.local_addr().expect("an address").port());
        match which {
            "headstart" => facade(listener).await,
            "headstart-h2" => accept(&listener, driver).await,
            "h2" => accept(&listener, bare).await,
            "hyper" => accept(&listener, hyper).await,
            other => panic!("no server {other}"),
        }
    });
}

fn app() -> Router {
    Router::new().fallback(|| async { axum::response::Html(BODY) })
}

fn limits() -> headstart_h2::Config {
    let mut config = headstart_h2::Config::default();
    config.idle_timeout = FOREVER;
    config
}

async fn facade(listener: TcpListener) {
    let built = Headstart::builder().h2(|h2| h2.idle_timeout = FOREVER).max_connections(20_000).build();
    built.expect("settings in range").serve(listener, None, app()).await.expect("it serves");
}

async fn accept<F>(listener: &TcpListener, serve: fn(tokio::net::TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        tokio::spawn(serve(socket));
    }
}

// A connection that ends with an error is the client's matter.

async fn driver(socket: tokio::net::TcpStream) {
    let _ = headstart_h2::serve_connection_with(limits(), socket, app(), ()).await;
}

async fn bare(socket: tokio::net::TcpStream) {
    let Ok(mut connection) = h2::server::handshake(socket).await else { return };
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        if let Ok(mut body) = respond.send_response(Response::new(()), false) {
            let _ = body.send_data(Bytes::from_static(BODY.as_bytes()), true);
        }
    }
}

async fn hyper(socket: tokio::net::TcpStream) {
    let builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    let _ = builder.serve_connection(TokioIo::new(socket), TowerToHyperService::new(app())).await;
}

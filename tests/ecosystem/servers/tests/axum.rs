//! axum 0.8, with its default features.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use headstart::Headstart;
use testkit::http1;
use testkit::http2::{Client, NAVIGATION, targets};
use tokio::net::{TcpListener, TcpStream};

fn headstart() -> Headstart {
    Headstart::builder().min_networks(1).holdout(0).build().unwrap()
}

/// An application with state, JSON and an extractor that needs the client's address.
fn app() -> Router {
    Router::new()
        .route("/", get(async |State(title): State<&'static str>| Html(format!("<link rel=stylesheet href=/app.css>{title}"))))
        .route("/app.css", get(async || ([(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")], "h1 {}")))
        .route("/who", get(async |ConnectInfo(client): ConnectInfo<SocketAddr>| Json(client.ip())))
        .with_state("state")
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn client(address: SocketAddr, push: bool) -> Client {
    let socket = TcpStream::connect(address).await.unwrap();
    let settings = h2::client::Builder::new().enable_push(push).clone();
    Client::handshake(socket, format!("http://{address}"), &settings).await.unwrap()
}

#[tokio::test]
async fn an_application_is_served_unchanged() {
    let (listener, address) = bind().await;
    tokio::spawn(headstart().serve(listener, None, app()).into_future());
    let mut pushed = Vec::new();
    for _ in 0..3 {
        let mut client = client(address, true).await;
        let page = client.get("/").await;
        assert!(page.text().ends_with("state"));
        pushed.push(page.pushed);
        client.get("/app.css").await;
    }
    assert_eq!(pushed, [vec![], vec!["/app.css"], vec!["/app.css"]]);
    let mut browser = client(address, false).await;
    assert_eq!(browser.get("/who").await.text(), "\"127.0.0.1\"", "ConnectInfo is there");
    let page = browser.send(http::Method::GET, "/", &NAVIGATION).await;
    assert_eq!(targets(&page.hints[0]), ["/app.css"]);
}

#[tokio::test]
async fn a_make_service_is_served() {
    let (listener, address) = bind().await;
    let make = app().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(headstart().serve_make_service(listener, None, make).into_future());
    assert_eq!(client(address, true).await.get("/who").await.text(), "\"127.0.0.1\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_layer_learns_under_axum_serve() {
    let (listener, address) = bind().await;
    let app = app().layer(headstart().layer());
    tokio::spawn(async move {
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
    });
    let linked = tokio::task::spawn_blocking(move || {
        let host = address.to_string();
        let referer = format!("http://{host}/");
        (0..3)
            .map(|_| {
                let page = http1::get(address, &host, "/", &[("user-agent", "Browser/1.0")]);
                http1::get(address, &host, "/app.css", &[("user-agent", "Browser/1.0"), ("referer", &referer)]);
                page.field("link").map(str::to_owned)
            })
            .collect::<Vec<_>>()
    });
    let linked = linked.await.unwrap();
    assert_eq!(linked[0], None);
    assert_eq!(linked[2].as_deref(), Some("</app.css>; rel=preload; as=style"));
}

//! Other servers and frameworks: with the layer under theirs, or theirs under `serve`.

use std::net::SocketAddr;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Html;
use axum::routing::get;
use headstart::Headstart;
use testkit::http1;
use testkit::http2::{Client, Reply};
use tokio::net::{TcpListener, TcpStream};

const PAGE: &str = "<link rel=stylesheet href=/app.css>";
const LINK: &str = "</app.css>; rel=preload; as=style";

fn headstart() -> Headstart {
    Headstart::builder().min_networks(1).holdout(0).build().unwrap()
}

fn app() -> Router {
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/app.css", get(async || ([(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")], "h1 {}")))
}

/// Three views over HTTP/1.1; the `Link` of the last.
async fn third_link(address: SocketAddr) -> Option<String> {
    wait_for(address).await;
    let visits = tokio::task::spawn_blocking(move || {
        let host = address.to_string();
        let referer = format!("http://{host}/");
        let mut link = None;
        for _ in 0..3 {
            let page = http1::get(address, &host, "/", &[("user-agent", "Browser/1.0")]);
            assert_eq!(page.text(), PAGE);
            http1::get(address, &host, "/app.css", &[("user-agent", "Browser/1.0"), ("referer", &referer)]);
            link = page.field("link").map(str::to_owned);
        }
        link
    });
    visits.await.unwrap()
}

async fn wait_for(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// A view over HTTP/2 that takes pushes.
async fn visit(address: SocketAddr) -> Reply {
    let socket = TcpStream::connect(address).await.unwrap();
    let settings = h2::client::Builder::new();
    let mut client = Client::handshake(socket, format!("http://{address}"), &settings).await.unwrap();
    let page = client.get("/").await;
    client.get("/app.css").await;
    page
}

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn axum_server_with_the_layer() {
    let address = free();
    let app = app().layer(headstart().layer());
    let make = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum_server::bind(address).serve(make));
    assert_eq!(third_link(address).await.as_deref(), Some(LINK));
}

#[tokio::test(flavor = "multi_thread")]
async fn warp_is_served() {
    use warp::Filter as _;

    let page = warp::path::end().map(|| warp::reply::html(PAGE));
    let css = warp::path("app.css").map(|| {
        let css = warp::reply::with_header("h1 {}", "content-type", "text/css");
        warp::reply::with_header(css, "cache-control", "max-age=3600")
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(headstart().serve(listener, None, warp::service(page.or(css))).into_future());
    visit(address).await;
    assert_eq!(visit(address).await.pushed, ["/app.css"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn salvo_with_the_layer() {
    use headstart::policy::Peer;
    use salvo::prelude::*;

    /// The layer has to know who asks.
    #[handler]
    async fn peer(request: &mut salvo::Request) {
        if let Some(client) = request.remote_addr().clone().into_std() {
            request.extensions_mut().insert(Peer(client));
        }
    }

    #[handler]
    async fn page(response: &mut salvo::Response) {
        response.render(salvo::writing::Text::Html(PAGE));
    }

    #[handler]
    async fn css(response: &mut salvo::Response) {
        response.headers_mut().insert("cache-control", "max-age=3600".parse().unwrap());
        response.render(salvo::writing::Text::Css("h1 {}"));
    }

    let address = free();
    let acceptor = salvo::conn::TcpListener::new(address).bind().await;
    let layer = headstart().layer().compat::<salvo::http::ReqBody>();
    let router = salvo::Router::new()
        .hoop(peer)
        .hoop(layer)
        .get(page)
        .push(salvo::Router::with_path("app.css").get(css));
    tokio::spawn(salvo::Server::new(acceptor).serve(router));
    assert_eq!(third_link(address).await.as_deref(), Some(LINK));
}

#[tokio::test(flavor = "multi_thread")]
async fn tonic_with_the_layer_answers_calls() {
    let address = free();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let server = tonic::transport::Server::builder().layer(headstart().layer()).add_service(health);
    tokio::spawn(server.serve(address));
    check(address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tonic_is_served_beside_pages() {
    let (_reporter, health) = tonic_health::server::health_reporter();
    let calls = tonic::service::Routes::new(health).prepare().into_axum_router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(headstart().serve(listener, None, app().fallback_service(calls)).into_future());
    check(address).await;
    visit(address).await;
    assert_eq!(visit(address).await.pushed, ["/app.css"]);
}

/// Asks tonic's own client for the health of the server.
async fn check(address: SocketAddr) {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    wait_for(address).await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    let health = client.check(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    assert_eq!(health.status, 1, "serving");
}

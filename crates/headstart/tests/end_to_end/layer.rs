//! The tower layer in servers that are not ours.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::policy::{EarlyHints, EarlyHintsSender, Peer};
use headstart::{Headstart, HeadstartLayer, Unlearned};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use tower::Service;
use tower_layer::Layer as _;

use crate::kit::{Client, Pushes};
use crate::warnings::Warnings;

fn headstart() -> Headstart {
    Headstart::builder().min_networks(1).holdout(0).build().unwrap()
}

/// A page with its stylesheet.
#[derive(Clone)]
struct Site;

impl Service<Request<()>> for Site {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let media = if request.uri().path() == "/" { "text/html" } else { "text/css" };
        let mut response = Response::builder().header(header::CONTENT_TYPE, media);
        if media == "text/css" {
            response = response.header(header::CACHE_CONTROL, "public, max-age=3600");
        }
        std::future::ready(Ok(response.body(String::new()).unwrap()))
    }
}

/// A request as a browser sends it, with what its server says of the client.
async fn ask(
    layer: &HeadstartLayer,
    path: &str,
    referer: bool,
    extend: impl FnOnce(&mut http::Extensions),
) -> HeaderMap {
    let mut request = Request::get(format!("https://a.example{path}")).header(header::USER_AGENT, "test");
    if referer {
        request = request.header(header::REFERER, "https://a.example/");
    }
    if path == "/" {
        request = request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
    }
    let mut request = request.body(()).unwrap();
    extend(request.extensions_mut());
    layer.layer(Site).call(request).await.unwrap().into_parts().0.headers
}

/// Three views that load the stylesheet, then one more: its response.
async fn taught(
    headstart: &Headstart,
    layer: &HeadstartLayer,
    referer: bool,
    extend: fn(&mut http::Extensions),
) -> HeaderMap {
    for _ in 0..3 {
        ask(layer, "/", false, extend).await;
        ask(layer, "/a.css", referer, extend).await;
    }
    headstart.finish();
    ask(layer, "/", false, extend).await
}

const LINK: &str = "</a.css>; rel=preload; as=style";

fn peer(extensions: &mut http::Extensions) {
    extensions.insert(Peer("192.0.2.1:999".parse().unwrap()));
}

#[tokio::test]
async fn requests_of_one_client_belong_to_one_connection() {
    let headstart = headstart();
    let page = taught(&headstart, &headstart.layer(), false, peer).await;
    assert_eq!(page[header::LINK], LINK, "joined without a referer");
}

#[tokio::test]
async fn other_ports_are_other_connections() {
    let headstart = headstart();
    let layer = headstart.layer();
    let from = |port| {
        move |to: &mut http::Extensions| {
            to.insert(Peer(SocketAddr::new([192, 0, 2, 1].into(), port)));
        }
    };
    for n in 0..6 {
        ask(&layer, "/", false, from(2 * n)).await;
        ask(&layer, "/a.css", false, from(2 * n + 1)).await;
    }
    headstart.finish();
    assert!(!ask(&layer, "/", false, from(99)).await.contains_key(header::LINK));
}

#[tokio::test]
async fn a_closure_tells_the_address() {
    let headstart = headstart();
    let layer = headstart.layer().client_address(|head| Some(head.extensions.get::<SocketAddr>()?.ip()));
    let page = taught(&headstart, &layer, true, |to| {
        to.insert(SocketAddr::from(([192, 0, 2, 1], 1)));
    })
    .await;
    assert_eq!(page[header::LINK], LINK);
}

#[tokio::test]
async fn without_an_address_requests_pass_unchanged_and_one_warning_names_the_way_out() {
    let warnings = Warnings::start();
    let headstart = headstart();
    let page = taught(&headstart, &headstart.layer(), true, |_| {}).await;
    assert_eq!(page.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["content-type"]);
    assert_eq!(headstart.unlearned().get(Unlearned::NoAddress), 7);
    let said = warnings.said("without the address of their client");
    assert_eq!(said.len(), 1, "{said:?}");
    for way in ["Peer", "into_make_service_with_connect_info", "HeadstartLayer::client_address"] {
        assert!(said[0].contains(way), "{said:?}");
    }
}

#[tokio::test]
async fn a_closure_sends_the_103() {
    let sent: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let headstart = headstart();
    let layer = headstart.layer().early_hints({
        let sent = Arc::clone(&sent);
        move |_, fields| sent.lock().unwrap().push(fields)
    });
    let page = taught(&headstart, &layer, true, peer).await;
    assert_eq!(page[header::LINK], LINK, "the final response names it too");
    let sent = sent.lock().unwrap();
    assert_eq!(sent.last().unwrap()[header::LINK], LINK);
}

#[tokio::test]
async fn the_transport_sends_the_103_where_it_offers_to() {
    #[derive(Default)]
    struct Sent(Mutex<Vec<HeaderMap>>);
    impl EarlyHintsSender for Sent {
        fn send(&self, fields: HeaderMap) -> bool {
            self.0.lock().unwrap().push(fields);
            true
        }
    }
    let headstart = headstart();
    let layer = headstart.layer();
    taught(&headstart, &layer, true, peer).await;
    let sent = Arc::new(Sent::default());
    ask(&layer, "/", false, |to| {
        peer(to);
        to.insert(EarlyHints::new(Arc::clone(&sent)));
    })
    .await;
    assert_eq!(sent.0.lock().unwrap()[0][header::LINK], HeaderValue::from_static(LINK));
}

#[tokio::test]
async fn a_layer_inside_of_serve_does_nothing_and_one_warning_says_so() {
    let warnings = Warnings::start();
    let headstart = headstart();
    let app = Router::new().route("/", get(|| async { Html("page") })).layer(headstart.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(headstart.serve(listener, None, app).into_future());
    let mut client = Client::connect_to(address, Pushes::Refused).await;
    for _ in 0..3 {
        assert_eq!(&client.get("/").await.body[..], b"page");
    }
    let said = warnings.said("remove it");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("Headstart::layer is inside of Headstart::serve"), "{said:?}");
    assert_eq!(headstart.stats().views, 3, "each page counts once");
}

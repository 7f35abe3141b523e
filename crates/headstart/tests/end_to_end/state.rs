//! Snapshots, the layer, and shutting down.

use std::time::Duration;

use headstart::Headstart;
use headstart::policy::Peer;
use http::{Request, Response, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::kit::{Answer, Client, Pushes, Server};

#[tokio::test]
async fn what_was_learned_survives_a_restart() {
    let pages = [("/", Answer::html("page")), ("/a.css", Answer::css("a"))];
    let server = Server::start(|b| b, &pages).await;
    server.teach("/", &["/a.css"]).await;
    let authority = server.address.to_string();
    let mut client = Client::connect(&server, Pushes::Taken).await;
    assert_eq!(client.get("/").await.pushed, ["/a.css"]);
    let snapshot = server.headstart.snapshot();
    server.shut_down();

    let restored = Headstart::builder().min_networks(1).snapshot(snapshot.clone()).build().unwrap();
    let assets = restored.explain(&authority, "/").unwrap().assets;
    assert_eq!(assets.len(), 1);
    assert_eq!(&*assets[0].path, "/a.css");
    assert_eq!(restored.snapshot()[..46], snapshot[..46], "the secret is the same");
}

#[tokio::test]
async fn a_damaged_snapshot_is_an_error_that_says_so() {
    let snapshot = Headstart::builder().build().unwrap().snapshot();
    for at in 0..snapshot.len() {
        let mut damaged = snapshot.clone();
        damaged[at] ^= 0x40;
        let error = Headstart::builder().snapshot(damaged).build().expect_err("damage goes unnoticed");
        assert!(error.is_snapshot(), "byte {at}: {error}");
        let error = Headstart::builder().snapshot(snapshot[..at].to_vec()).build().err();
        assert!(error.is_some_and(|error| error.is_snapshot()), "cut at {at}");
    }
    let other = Headstart::builder().thresholds(2.0, 0.1).build().err().unwrap();
    assert!(!other.is_snapshot() && other.to_string().contains("push threshold"), "{other}");
}

#[tokio::test]
async fn who_has_said_nothing_does_not_delay_a_shutdown() {
    let headstart = Headstart::builder().build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = headstart.serve(listener, None, axum::Router::new()).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let serving = tokio::spawn(serving.into_future());
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    // Accepted after the silent one, and gone when its answer is read: so that one was accepted too.
    let mut asking = tokio::net::TcpStream::connect(address).await.unwrap();
    asking.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    asking.read_to_end(&mut Vec::new()).await.unwrap();
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(3), serving).await.expect("it waits for the silent").unwrap().unwrap();
}

#[tokio::test]
async fn the_layer_serves_in_other_servers() {
    let headstart = Headstart::builder().min_networks(1).holdout(0).build().unwrap();
    let inner = tower::service_fn(|request: Request<()>| async move {
        let media = if request.uri().path() == "/" { "text/html" } else { "text/css" };
        Ok::<_, std::convert::Infallible>(
            Response::builder().header(header::CONTENT_TYPE, media).body(String::new()).unwrap(),
        )
    });
    let mut service = headstart.layer().layer(inner);
    let mut ask = async |path: &str, referer: Option<&str>| {
        let mut request = Request::get(format!("https://a.example{path}"));
        if let Some(referer) = referer {
            request = request.header(header::REFERER, referer);
        }
        let request = request.extension(Peer("192.0.2.1:999".parse().unwrap())).body(()).unwrap();
        service.call(request).await.unwrap()
    };
    for _ in 0..3 {
        ask("/", None).await;
        ask("/a.css", Some("https://a.example/")).await;
    }
    headstart.finish();
    let page = ask("/", None).await;
    assert_eq!(page.headers()[header::LINK], "</a.css>; rel=preload; as=style");
}

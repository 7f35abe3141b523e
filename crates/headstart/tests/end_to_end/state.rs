//! Snapshots, the state file, and shutting down.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use headstart::Headstart;
use http::header::CONTENT_TYPE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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
async fn a_tool_keeps_the_half_life_of_a_snapshot() {
    let hour = Duration::from_secs(3600);
    let pages = [("/", Answer::html("page")), ("/a.css", Answer::css("a"))];
    let server = Server::start(|b| b.half_life(hour), &pages).await;
    server.teach("/", &["/a.css"]).await;
    let snapshot = server.headstart.snapshot();
    let authority = server.address.to_string();
    server.shut_down();
    let hits = |headstart: Headstart| headstart.explain(&authority, "/").unwrap().assets[0].hits;
    let builder = || Headstart::builder().min_networks(1).snapshot(snapshot.clone());
    assert!(hits(builder().half_life_of_snapshot().build().unwrap()) > 0.9);
    assert!(hits(builder().build().unwrap()) < 0.1, "sums of another half-life are left out");
    let again = builder().half_life_of_snapshot().build().unwrap().snapshot();
    assert!(hits(Headstart::builder().min_networks(1).half_life(hour).snapshot(again).build().unwrap()) > 0.9);
}

#[tokio::test]
async fn a_damaged_snapshot_is_an_error_that_says_so() {
    let snapshot = Headstart::builder().build().unwrap().snapshot();
    for at in 0..snapshot.len() {
        let mut damaged = snapshot.clone();
        damaged[at] ^= 0x40;
        let error = Headstart::builder().snapshot(damaged).build().expect_err("damage goes unnoticed");
        assert!(error.is_snapshot(), "byte {at}: {error}");
        assert!(std::error::Error::source(&error).is_none(), "a chain of errors says {error} once");
        let error = Headstart::builder().snapshot(snapshot[..at].to_vec()).build().err();
        assert!(error.is_some_and(|error| error.is_snapshot()), "cut at {at}");
    }
    let other = Headstart::builder().push_threshold(2.0).hint_threshold(0.1).build().err().unwrap();
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

/// Serves until told to stop, with a state file; returns when the server has returned.
async fn serve_with_state(path: &Path, interval: Duration, while_it_runs: impl AsyncFnOnce(SocketAddr, Headstart)) {
    let builder = Headstart::builder().min_networks(1).holdout(0).state(path).state_interval(interval);
    let headstart = builder.build().unwrap();
    let app = axum::Router::new()
        .route("/", axum::routing::get(|| async { axum::response::Html("page") }))
        .route("/a.css", axum::routing::get(|| async { ([(CONTENT_TYPE, "text/css")], "a") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = headstart.serve(listener, None, app).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let serving = tokio::spawn(serving.into_future());
    while_it_runs(address, headstart.clone()).await;
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_state_file_is_written_at_the_end_and_read_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let mut authority = String::new();
    serve_with_state(&path, Duration::from_secs(3600), async |address, _| {
        for _ in 0..3 {
            let mut client = Client::connect_to(address, Pushes::Refused).await;
            client.get("/").await;
            client.get("/a.css").await;
        }
        assert!(!path.exists(), "it is not due");
        authority = address.to_string();
    })
    .await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let restored = Headstart::builder().min_networks(1).state(&path).build().unwrap();
    assert_eq!(&*restored.explain(&authority, "/").unwrap().assets[0].path, "/a.css");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn a_state_file_is_written_at_intervals_and_on_demand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    serve_with_state(&path, Duration::from_millis(50), async |_, headstart| {
        for _ in 0..2 {
            for _ in 0..500 {
                if path.exists() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            std::fs::remove_file(&path).unwrap();
        }
        headstart.save().unwrap();
        assert!(path.exists());
    })
    .await;
}

#[test]
fn a_state_file_that_cannot_be_used_is_an_error_that_names_it_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    std::fs::write(&path, "something else").unwrap();
    let error = Headstart::builder().state(&path).build().err().unwrap();
    assert!(error.is_snapshot() && error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"something else");
    let error = Headstart::builder().state(directory.path()).build().err().unwrap();
    assert!(error.to_string().ends_with("not a regular file"), "{error}");
    let error = Headstart::builder().state(path).state_interval(Duration::ZERO).build().err().unwrap();
    assert!(error.to_string().contains("state interval"), "{error}");
}

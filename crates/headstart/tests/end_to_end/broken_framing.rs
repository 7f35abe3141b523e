//! A connection whose requests have lost their ends is closed, whatever was asked before and whatever the service keeps.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headstart::{Body, Connection, Headstart, Listener};
use http::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, timeout};

/// What goes before on the same connection.
const BEFORE: [&str; 4] = [
    "",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: other\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nUpgrade: other\r\n\r\n",
];

/// Content in chunks that is none, whatever may follow.
const CHUNKS: [&str; 12] = [
    "\r\n",
    ";x\r\n",
    "g\r\n",
    "-1\r\n",
    "0x5\r\n",
    " 5\r\n",
    "5\nhello\n0\n\n",
    "FFFFFFFFFFFFFFFFF\r\n",
    "2\r\nhello\r\n",
    "5\r\nhelloX\r\n",
    "5;a\nhello\r\n",
    "2\r\nab\r\ng\r\n",
];

/// Fields of a head without a sound end.
const HEADS: [&str; 8] = [
    "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: -1",
    "Content-Length: x",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding : chunked",
    "No colon",
];

/// What a service does with a request.
#[derive(Clone, Copy, Debug)]
enum Service {
    Reads,
    Ignores,
    /// Reads it, and holds its head for ever.
    Keeps,
}

struct Once(Option<DuplexStream>);

impl Listener for Once {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Connection)> {
        match self.0.take() {
            Some(io) => Ok((io, Connection::new(([127, 0, 0, 1], 7).into()))),
            None => std::future::pending().await,
        }
    }
}

/// For how long the connection lasts after these bytes, and what was answered.
async fn lasts(headstart: &Headstart, service: Service, bytes: &str) -> (Option<Duration>, String) {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let kept = Arc::<Mutex<Vec<http::request::Parts>>>::default();
    let keeps = Arc::clone(&kept);
    let answer = move |request: Request<Body>| {
        let kept = Arc::clone(&keeps);
        async move {
            let (head, content) = request.into_parts();
            if !matches!(service, Service::Ignores) {
                let _ = axum::body::to_bytes(axum::body::Body::new(content), 1 << 20).await;
            }
            if matches!(service, Service::Keeps) {
                kept.lock().unwrap().push(head);
            }
            Ok::<_, std::convert::Infallible>(Response::new(axum::body::Body::from("ok")))
        }
    };
    let serving = headstart.serve(Once(Some(server)), None, tower::service_fn(answer));
    let serving = tokio::spawn(serving.into_future());
    client.write_all(bytes.as_bytes()).await.unwrap();
    let (began, mut heard) = (Instant::now(), Vec::new());
    let ended = timeout(Duration::from_secs(60), client.read_to_end(&mut heard)).await.is_ok();
    let lasted = ended.then(|| began.elapsed());
    serving.abort();
    drop(kept);
    (lasted, String::from_utf8(heard).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_sound_framing_ends_at_once() {
    let headstart = Headstart::builder().build().unwrap();
    let chunks = CHUNKS.map(|chunks| format!("Transfer-Encoding: chunked\r\n\r\n{chunks}"));
    let heads = HEADS.map(|head| format!("{head}\r\n\r\n"));
    let mut wrong = Vec::new();
    for before in BEFORE {
        for broken in chunks.iter().chain(&heads) {
            let bytes = format!("{before}POST / HTTP/1.1\r\nHost: a\r\n{broken}");
            for service in [Service::Reads, Service::Ignores, Service::Keeps] {
                let (lasted, heard) = lasts(&headstart, service, &bytes).await;
                // An answer to all that was sound; nobody sees the rest as a request.
                let answers = heard.matches("HTTP/1.1 ").count();
                let sound = before.matches("GET /").count();
                if lasted.is_none_or(|lasted| lasted > Duration::from_secs(2)) || answers > sound + 1 || answers < sound
                {
                    wrong.push(format!("{service:?} {bytes:?}: {lasted:?}, {heard:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_protocol_that_is_refused_leaves_no_connection_to_who_asked() {
    let headstart = Headstart::builder().build().unwrap();
    let asks = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n";
    let (lasted, heard) = lasts(&headstart, Service::Keeps, asks).await;
    assert!(lasted.is_some() && heard.starts_with("HTTP/1.1 200 "), "{lasted:?} {heard}");
    // A sound connection is kept, so that the tests here can fail.
    let sound = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    let (lasted, _) = lasts(&headstart, Service::Reads, sound).await;
    assert!(lasted.is_none_or(|lasted| lasted > Duration::from_secs(5)), "{lasted:?}");
}

//! The places and connections of an application, which all clients share.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use testkit::frames::{self, greeting, request_to};
use testkit::{app, http1};

use super::rig::{Server, answer};

const BODY: usize = 300 << 10;
/// For a page of an honest client.
const SOON: Duration = Duration::from_secs(3);

/// An application over HTTP/2, and the resets that it was sent.
fn http2_application() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    let resets = Arc::<AtomicUsize>::default();
    let counts = Arc::clone(&resets);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(converse(socket, Arc::clone(&counts)));
            }
        });
    });
    (address, resets)
}

async fn converse(socket: tokio::net::TcpStream, resets: Arc<AtomicUsize>) {
    let Ok(mut connection) = h2::server::handshake(socket).await else { return };
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let resets = Arc::clone(&resets);
        tokio::spawn(async move {
            let Ok(mut body) = respond.send_response(http::Response::new(()), false) else { return };
            let mut left = BODY;
            while left > 0 {
                body.reserve_capacity(left.min(16 << 10));
                match std::future::poll_fn(|cx| body.poll_capacity(cx)).await {
                    Some(Ok(room)) => {
                        let room = room.min(left);
                        left -= room;
                        if body.send_data(Bytes::from(vec![b'a'; room]), left == 0).is_err() {
                            break;
                        }
                    }
                    _ => break,
                }
            }
            if left > 0 {
                resets.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// Pages of an honest client, each of which has to come soon.
#[track_caller]
fn all_come(server: &Server, pages: usize, bytes: usize) {
    for page in 0..pages {
        let began = Instant::now();
        let reply = server.get("/page", &[]);
        assert_eq!((reply.status, reply.body.len()), (200, bytes), "page {page}");
        assert!(began.elapsed() < SOON, "page {page} took {:?}", began.elapsed());
    }
}

#[test]
fn downloads_that_nobody_takes_stop_no_body_of_an_http2_upstream() {
    let (application, _) = http2_application();
    let server = Server::before(&format!("h2c://{application}"), "", "");
    let _held: Vec<_> = [16, 100, 100].map(|count| server.hold("127.0.0.2", "/large", count)).into_iter().collect();
    std::thread::sleep(Duration::from_millis(300));
    all_come(&server, 5, BODY);
}

#[test]
fn resets_of_one_client_are_not_passed_on_without_end() {
    let (application, resets) = http2_application();
    let server = Server::before(&format!("h2c://{application}"), "", "");
    for round in 0..4 {
        let mut socket = server.hold("127.0.0.2", "/large", 100);
        std::thread::sleep(Duration::from_millis(200));
        let all: Vec<u8> = (0..100).flat_map(|n| frames::rst(2 * n + 1, 8)).collect();
        socket.write_all(&all).expect("it reads");
        all_come(&server, 2, BODY);
        assert!(resets.load(Ordering::Relaxed) <= 64 * 8, "round {round}");
    }
    // 400 streams were reset: over as many connections as there were, few of them get through.
    assert!(resets.load(Ordering::Relaxed) < 300, "{resets:?} of 400");
}

/// 9 connections hold 100 requests each, of an application that has 64 places.
#[test]
fn requests_that_are_held_leave_places_to_others() {
    let application = app::serve(|_| answer(&[], vec![b'a'; BODY]));
    let server = Server::before(&format!("http://{application}"), "", "max_in_flight = 64");
    let _held: Vec<_> = (0..9).map(|_| server.hold("127.0.0.2", "/large", 100)).collect();
    std::thread::sleep(Duration::from_millis(300));
    all_come(&server, 10, BODY);
}

#[test]
fn uploads_in_drops_leave_places_to_others() {
    let application = app::serve(|_| answer(&[], "ok"));
    let server = Server::before(&format!("http://{application}"), "", "max_in_flight = 64");
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut bytes = greeting(&[]);
        let heads = (0..100).flat_map(|n| {
            request_to("a.example", 2 * n + 1, "POST", "/upload", &[("content-length", "100000")], false)
        });
        bytes.extend(heads);
        bytes.extend((0..100).flat_map(|n| frames::data(2 * n + 1, 1, false)));
        let mut socket = server.connect("127.0.0.2");
        socket.write_all(&bytes).expect("it reads");
        held.push(socket);
    }
    std::thread::sleep(Duration::from_millis(300));
    all_come(&server, 10, 2);
}

/// Who has more under way than its share is told so, with the time to wait, and others are not.
#[test]
fn who_has_its_share_is_told_to_wait() {
    let application = app::serve(|_| answer(&[], vec![b'a'; BODY]));
    let server = Server::before(&format!("http://{application}"), "[limits]\nmax_requests = 90", "");
    let held = server.hold("127.0.0.2", "/large", 60);
    std::thread::sleep(Duration::from_millis(300));
    let mut greedy = server.connect("127.0.0.2");
    greedy.write_all(http1::head("a.example", "/page", &[]).as_bytes()).expect("it reads");
    let (bytes, _) = http1::read_to_end(&mut greedy);
    let reply = http1::Reply::parse(&bytes).expect("an answer");
    assert_eq!((reply.status, reply.field("retry-after")), (429, Some("1")), "{}", reply.head);
    all_come(&server, 3, BODY);
    drop(held);
}

/// Responses that their client does not take are shares: beyond a quarter of the places it is told to wait, and others
/// are not.
#[test]
fn who_takes_nothing_of_its_responses_gets_no_further_ones() {
    let application = app::serve(|_| answer(&[], vec![b'a'; BODY]));
    let server = Server::before(&format!("http://{application}"), "", "max_in_flight = 64");
    let _held = server.hold("127.0.0.2", "/large", 40);
    std::thread::sleep(Duration::from_millis(300));
    let mut greedy = server.connect("127.0.0.2");
    greedy.write_all(http1::head("a.example", "/page", &[]).as_bytes()).expect("it reads");
    let reply = http1::Reply::parse(&http1::read_to_end(&mut greedy).0).expect("an answer");
    assert_eq!((reply.status, reply.field("retry-after")), (429, Some("1")), "{}", reply.head);
    all_come(&server, 5, BODY);
}

/// Who takes what it asked for may have as many under way as there are places.
#[tokio::test]
async fn who_takes_its_responses_gets_all_that_it_asks_for() {
    let application = app::serve(|_| answer(&[], vec![b'a'; BODY]));
    let server = Server::before(&format!("http://{application}"), "", "max_in_flight = 64");
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.expect("it listens");
    let mut settings = h2::client::Builder::new();
    settings.initial_window_size(1 << 20).initial_connection_window_size(64 << 20);
    let client = testkit::http2::Client::handshake(socket, "http://a.example", &settings).await.expect("a handshake");
    let loads: Vec<_> = (0..100)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.get("/large").await })
        })
        .collect();
    for load in loads {
        let reply = load.await.expect("no failure");
        assert_eq!((reply.status.as_u16(), reply.body.len()), (200, BODY));
    }
}

/// An office: each of 200 clients of one address loads a page with four assets over HTTP/2, all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_clients_of_one_address_load_pages_at_once() {
    let application = app::serve(|request| {
        let media = if request.target == "/" { "text/html" } else { "text/css" };
        answer(&[("content-type", media), ("cache-control", "no-store")], vec![b'a'; 20 << 10])
    });
    let server = Server::before(&format!("http://{application}"), "", "");
    let load = async |port| {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
        let settings = h2::client::Builder::new();
        let mut client =
            testkit::http2::Client::handshake(socket, "http://a.example", &settings).await.expect("a handshake");
        let mut whole = 0;
        for path in ["/", "/1.css", "/2.css", "/3.css", "/4.css"] {
            let reply = client.get(path).await;
            whole += usize::from(reply.status == 200 && reply.body.len() == 20 << 10);
        }
        whole
    };
    let port = server.port;
    let clients: Vec<_> = (0..200).map(|_| tokio::spawn(load(port))).collect();
    for client in clients {
        assert_eq!(client.await.expect("no failure"), 5, "all is served");
    }
}

#[test]
fn a_connection_is_closed_and_not_left_where_its_framing_breaks() {
    let application = app::serve(|_| answer(&[], "ok"));
    let server = Server::before(&format!("http://{application}"), "", "");
    for before in ["", "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"] {
        let bytes =
            format!("{before}POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n;x\r\nhello");
        let mut socket = server.connect("127.0.0.1");
        socket.set_read_timeout(Some(SOON)).expect("a timeout");
        socket.write_all(bytes.as_bytes()).expect("it reads");
        let mut heard = Vec::new();
        socket.read_to_end(&mut heard).expect("it closes");
        let heard = String::from_utf8_lossy(&heard);
        assert!(heard.rsplit("HTTP/1.1 ").next().is_some_and(|last| last.starts_with("400 ")), "{heard}");
    }
}

//! The client of a connection, and how many connections there may be.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use headstart::policy::{ClientAddress, Peer};
use headstart::{Builder, ForwardedBy, Headstart, IpNet};
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::kit::{Answer, BROWSER, Client, Pushes, Server};

fn loopback() -> Vec<IpNet> {
    vec!["127.0.0.0/8".parse().unwrap()]
}

/// A server that answers with the addresses it sees.
async fn who(settings: impl FnOnce(Builder) -> Builder, balancers: Vec<IpNet>) -> SocketAddr {
    let app = Router::new().fallback(|request: Request| async move {
        let Peer(peer) = request.extensions().get().copied().unwrap();
        let client = request.extensions().get().map(|ClientAddress(address)| address.to_string());
        format!("{peer} {}", client.unwrap_or_default())
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let headstart = settings(Headstart::builder()).build().unwrap();
    tokio::spawn(headstart.serve(listener, None, app).proxy_protocol(balancers).into_future());
    address
}

/// The response to these bytes, until the server closes.
async fn send(address: SocketAddr, bytes: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is refused may be reset.
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_balancer_says_who_connects() {
    let address = who(|builder| builder, loopback()).await;
    let answer = send(address, &format!("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n{GET}")).await;
    assert!(answer.ends_with("192.0.2.7:4711 "), "{answer}");
    let answer = send(address, &format!("PROXY UNKNOWN\r\n{GET}")).await;
    assert!(answer.contains("127.0.0.1:"), "{answer}");
    assert_eq!(send(address, GET).await, "", "a balancer that says nothing is not served");
}

#[tokio::test]
async fn whoever_is_no_balancer_speaks_for_itself() {
    let address = who(|builder| builder, vec!["192.0.2.0/24".parse().unwrap()]).await;
    assert!(send(address, GET).await.contains("127.0.0.1:"));
    let forged = send(address, &format!("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n{GET}")).await;
    assert!(!forged.contains("192.0.2.7"), "{forged}");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_asks() {
    let trusting = |builder: Builder| builder.trusted_proxies(loopback(), ForwardedBy::XForwardedFor);
    let request = "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 192.0.2.66, 192.0.2.7\r\n\
                   Connection: close\r\n\r\n";
    assert!(send(who(trusting, Vec::new()).await, request).await.ends_with(" 192.0.2.7"));
    assert!(send(who(|builder| builder, Vec::new()).await, request).await.ends_with(' '), "nobody is trusted unasked");
}

#[tokio::test]
async fn behind_a_proxy_networks_are_told_apart_and_nothing_is_pushed() {
    let server = Server::start(
        |builder| builder.min_networks(2).trusted_proxies(loopback(), ForwardedBy::XForwardedFor),
        &[("/", Answer::html("page")), ("/a.css", Answer::css("a"))],
    )
    .await;
    let referer = format!("http://{}/", server.address);
    // One connection, as a proxy keeps it open for all of its clients.
    let mut client = Client::connect(&server, Pushes::Taken).await;
    for forwarded in ["192.0.2.1", "198.51.100.1"] {
        client.cookie = None;
        client.send(Method::GET, "/", &[("x-forwarded-for", forwarded)]).await;
        client.send(Method::GET, "/a.css", &[("x-forwarded-for", forwarded), ("referer", &referer)]).await;
    }
    server.headstart.finish();
    client.cookie = None;
    let browser = [&BROWSER[..], &[("x-forwarded-for", "203.0.113.1")]].concat();
    let reply = client.send(Method::GET, "/", &browser).await;
    assert!(reply.pushed.is_empty());
    assert_eq!(reply.hints.len(), 1, "it was learned from two networks, and nobody else's visit counts as held");
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let address = who(|builder| builder.max_connections_per_address(2), Vec::new()).await;
    let held = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    // They are counted when their tasks run; whoever comes third is one too many.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(send(address, GET).await, "");
    drop(held);
    for _ in 0..100 {
        if !send(address, GET).await.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("places that were given back are not given out again");
}

#[tokio::test]
async fn when_all_places_are_taken_the_idle_make_room() {
    let server = Server::start(
        |builder| builder.max_connections(2).max_connections_per_address(9),
        &[("/", Answer::html("page"))],
    )
    .await;
    let mut clients = Vec::new();
    for _ in 0..6 {
        let mut client = Client::connect(&server, Pushes::Refused).await;
        assert_eq!(&client.get("/").await.body[..], b"page");
        clients.push(client);
    }
}

#[tokio::test]
async fn how_connections_end_is_counted() {
    let server = Server::start(|builder| builder, &[("/", Answer::html("page"))]).await;
    let mut honest = Client::connect(&server, Pushes::Refused).await;
    honest.send(Method::GET, "/", &[]).await;
    drop(honest);
    // Says nothing.
    drop(TcpStream::connect(server.address).await.unwrap());
    // SETTINGS of five bytes, of which each takes six (RFC 9113, section 6.5).
    let mut rude = TcpStream::connect(server.address).await.unwrap();
    let settings = [0, 0, 5, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5];
    rude.write_all(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings].concat()).await.unwrap();
    let mut rest = Vec::new();
    // Closed with or without a reset.
    let _ = rude.read_to_end(&mut rest).await;
    let ended = || server.headstart.stats().connections_ended;
    for _ in 0..500 {
        if ended() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stats = server.headstart.stats();
    assert_eq!((stats.connections, stats.connections_ended), (3, 3));
    assert_eq!((stats.connections_forbidden, stats.connections_timed_out), (1, 0));
    // A cleartext client that says nothing and leaves is taken for one of HTTP/1.1.
    assert_eq!((stats.connections_refused, stats.connections_released), (0, 0));
}

/// How long a client of HTTP/1.1 that does this is kept, in seconds of paused time.
async fn kept(talk: &str) -> u64 {
    let address = who(|builder| builder, Vec::new()).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(talk.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let mut last = tokio::time::Instant::now();
    while socket.read(&mut answer).await.unwrap_or(0) > 0 {
        last = tokio::time::Instant::now();
    }
    last.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn over_http1_who_says_no_more_is_let_go() {
    let keep_alive = GET.replace("Connection: close\r\n", "");
    assert_eq!(kept(&keep_alive).await, 10);
    assert_eq!(kept(&keep_alive.repeat(3)).await, 10);
    assert_eq!(kept("GET / HTTP/1.1\r\n").await, 10);
}

/// A server of 90 requests, of which one client has ten alone, whose application answers when it is told to.
async fn holding() -> (SocketAddr, tokio::sync::watch::Sender<bool>) {
    let (let_go, told) = tokio::sync::watch::channel(false);
    let app = Router::new().fallback(move || {
        let mut told = told.clone();
        async move {
            let _ = told.wait_for(|told| *told).await;
            "done"
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let headstart = Headstart::builder().max_requests(90).build().unwrap();
    tokio::spawn(headstart.serve(listener, None, app).into_future());
    (address, let_go)
}

/// A request from this address of the loopback network.
async fn ask(server: SocketAddr, from: [u8; 4]) -> String {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut socket = socket.connect(server).await.unwrap();
    socket.write_all(GET.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_client_that_holds_its_requests_takes_none_of_others() {
    let (server, let_go) = holding().await;
    let greedy: Vec<_> = (0..60).map(|_| tokio::spawn(ask(server, [127, 0, 0, 2]))).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let others: Vec<_> = (3..13).map(|n| tokio::spawn(ask(server, [127, 0, 0, n]))).collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let_go.send(true).unwrap();
    for other in others {
        assert!(other.await.unwrap().starts_with("HTTP/1.1 200"));
    }
    let mut answered = 0;
    for one in greedy {
        let answer = one.await.unwrap();
        answered += usize::from(answer.starts_with("HTTP/1.1 200"));
        let refused = answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 1");
        assert!(answer.starts_with("HTTP/1.1 200") || refused, "{answer}");
    }
    assert!((1..=10).contains(&answered), "{answered}");
}

#[tokio::test]
async fn a_crowd_behind_one_address_waits_and_is_refused_nothing() {
    let (server, let_go) = holding().await;
    let crowd: Vec<_> = (0..35).map(|_| tokio::spawn(ask(server, [127, 0, 0, 2]))).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let_go.send(true).unwrap();
    for one in crowd {
        assert!(one.await.unwrap().starts_with("HTTP/1.1 200"));
    }
}

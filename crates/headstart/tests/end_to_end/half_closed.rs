//! A client over HTTP/1.1 that ends its side after its requests and waits for the answers, as `nc -N` does.

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use headstart::Headstart;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SLOW: Duration = Duration::from_millis(300);
/// Below the time that an answer has to go forward: nothing waits for that.
const SOON: Duration = Duration::from_secs(4);

/// All that comes after these bytes and the end of the client's side.
async fn answers(requests: &str) -> String {
    let slow = async |answer: String| {
        tokio::time::sleep(SLOW).await;
        answer
    };
    let app = Router::new()
        .route("/large", get(move || slow("x".repeat(3_000_000))))
        .route("/", get(move || slow("small".into())))
        .route("/length", post(move |body: String| slow(body.len().to_string())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Headstart::builder().build().unwrap().serve(listener, None, app).into_future());
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(requests.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answers = String::new();
    timeout(SOON, socket.read_to_string(&mut answers)).await.expect("the connection ends soon").unwrap();
    answers
}

#[tokio::test]
async fn gets_the_answers_to_whole_requests() {
    let request = |line: &str, more: &str| format!("{line} HTTP/1.1\r\nHost: a\r\n{more}");
    let small = request("GET /", "\r\n");
    assert!(answers(&small).await.ends_with("\r\n\r\nsmall"));
    let large = answers(&request("GET /large", "\r\n")).await;
    assert_eq!(large.split_once("\r\n\r\n").map(|(_, body)| body.len()), Some(3_000_000));
    let two = answers(&(request("POST /length", "Content-Length: 3\r\n\r\nabc") + &small)).await;
    assert!(two.matches("HTTP/1.1 200 OK").count() == 2 && two.ends_with("\r\n\r\nsmall"), "{two}");
    let chunked = request("POST /length", "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n");
    assert!(answers(&chunked).await.ends_with("\r\n\r\n4"));
}

#[tokio::test]
async fn gets_none_to_half_a_request() {
    let half = "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf";
    assert!(!answers(half).await.contains("200 OK"));
    assert!(!answers("GET / HTTP/1.1\r\nHost: a\r\n").await.contains("200 OK"));
}

//! Applications, with what they are made of.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use http::Request;
use testkit::http1;
use testkit::tls::believing;

use crate::kit::{client, client_of, connect_tls, load, start, stylesheet, visit};

const CSS: &str = "/app.css";

#[tokio::test]
async fn axum_app() {
    let server = start("axum_app", &["127.0.0.1:0"]);
    let port = server.port("https");
    let origin = format!("https://127.0.0.1:{port}");
    let connect = async || client(connect_tls(port, &believing(&["h2"])).await.unwrap(), &origin).await;
    let mut first = connect().await;
    assert_eq!(first.get("/named").await.pushed, [CSS], "named by the application");
    assert!(first.get("/named").await.pushed.is_empty(), "sent once");
    for number in 1..=3 {
        let page = load(connect().await, "/", &[CSS, "/app.js"]).await;
        let expected: &[&str] = if number == 1 { &[] } else { &[CSS, "/app.js"] };
        assert_eq!(page.pushed, expected, "visit {number}");
    }
}

#[test]
fn axum_layer() {
    let server = start("axum_layer", &["127.0.0.1:0"]);
    let port = server.port("http");
    let address = format!("127.0.0.1:{port}");
    let mut linked = Vec::new();
    for _ in 1..=3 {
        let page = http1::get(&address, &address, "/", &[]);
        linked.push(page.field("link").is_some_and(|link| link.contains("</app.css>; rel=preload; as=style")));
        http1::get(&address, &address, CSS, &[("referer", &format!("http://{address}/"))]);
    }
    assert_eq!((linked[0], linked[2]), (false, true), "learned from two visits");
}

#[tokio::test]
async fn tower_http_stack() {
    let server = start("tower_http_stack", &["127.0.0.1:0"]);
    let port = server.port("http");
    let page = client_of(port).await.get("/").await.text();
    let css = stylesheet(&page);
    for number in 1..=2 {
        let page = visit(port, "/", &[css]).await;
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.pushed.contains(&css.to_owned()), number == 2, "visit {number}: {:?}", page.pushed);
    }
    let mut client = client_of(port).await;
    let page = client.send(http::Method::GET, "/", &[("accept-encoding", "gzip")]).await;
    assert_eq!(page.headers["content-encoding"], "gzip");
}

#[test]
fn websocket_and_sse() {
    let server = start("websocket_and_sse", &["127.0.0.1:0"]);
    let port = server.port("http");
    let socket = http1::connect(("127.0.0.1", port)).unwrap();
    let (mut socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}/echo"), socket).unwrap();
    socket.send(tungstenite::Message::text("hello")).unwrap();
    assert_eq!(socket.read().unwrap().to_text().unwrap(), "hello");

    let mut events = http1::connect(("127.0.0.1", port)).unwrap();
    events.write_all(http1::head("localhost", "/ticks", &[]).as_bytes()).unwrap();
    let (mut text, mut buffer) = (String::new(), [0; 1024]);
    while !text.contains("data: 2") {
        let length = events.read(&mut buffer).unwrap();
        assert!(length > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    assert!(text.contains("text/event-stream") && text.contains("data: 1"), "{text}");
}

#[tokio::test]
async fn assets_from_templates() {
    let server = start("assets_from_templates", &["127.0.0.1:0"]);
    let page = visit(server.port("http"), "/", &[]).await;
    assert_eq!(page.pushed, [CSS, "/app.js"], "the first client of all");
    assert!(page.text().contains(r#"<link rel="stylesheet" href="/app.css">"#), "{}", page.text());
}

#[tokio::test]
async fn events_into_metrics() {
    let server = start("events_into_metrics", &["127.0.0.1:0"]);
    let port = server.port("http");
    for number in 1..=2 {
        assert_eq!(visit(port, "/", &[CSS]).await.pushed.len(), number - 1);
    }
    // What became of a push is known when its connection has said so.
    let mut text = String::new();
    for _ in 0..100 {
        text = client_of(port).await.get("/metrics").await.text();
        if text.contains("headstart_pushes") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for line in [
        r#"headstart_views{outlet="push",held_out="no"} 2"#,
        r#"headstart_assets{decision="pushed"} 1"#,
        r#"headstart_pushes{outcome="finished"} 1"#,
        "headstart_pushed_bytes 5",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn tonic_beside_axum() {
    let server = start("tonic_beside_axum", &["127.0.0.1:0"]);
    let port = server.port("http");
    for number in 1..=2 {
        assert_eq!(visit(port, "/", &[CSS]).await.pushed.len(), number - 1, "visit {number}");
    }
    // A call of a service without a name: an empty message.
    let client = client_of(port).await;
    let call = Request::post(format!("http://127.0.0.1:{port}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let mut requests = client.requests.clone().ready().await.unwrap();
    let (response, mut upload) = requests.send_request(call.body(()).unwrap(), false).unwrap();
    upload.send_data(Bytes::from_static(&[0; 5]), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let message = testkit::http2::read(&mut body).await.unwrap();
    // Field 1, SERVING.
    assert_eq!(&message[..], [0, 0, 0, 0, 2, 8, 1]);
    let trailers = body.trailers().await.unwrap().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
}

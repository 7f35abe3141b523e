//! WebSockets and server-sent events beside pages that are helped. Over HTTP/2 a browser opens its WebSocket on a stream of the
//! connection that it has (RFC 8441); the handler sees the upgrade request that it knows from HTTP/1.1.
//!
//! `cargo run --package headstart-examples --example websocket_and_sse [ADDRESS]`

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use headstart::Headstart;

const PAGE: &str = r#"<!doctype html><title>Live</title><ul id=log></ul>
<script type=module>
const say = (text) => log.append(Object.assign(document.createElement("li"), { textContent: text }));
new EventSource("/ticks").onmessage = (event) => say(`tick ${event.data}`);
const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/echo`);
socket.onopen = () => socket.send("hello");
socket.onmessage = (event) => say(`echo ${event.data}`);
</script>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let app = Router::new().route("/", get(async || Html(PAGE))).route("/echo", get(echo)).route("/ticks", get(ticks));

    let headstart = Headstart::builder().build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    headstart.serve(listener, None, app).await?;
    Ok(())
}

/// Sends back what it is sent.
async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket| {
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

/// Three events a second. A stream that stays open holds up no page: bodies are sent in the order of need.
async fn ticks() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(1_u64, async |tick| {
        tokio::time::sleep(Duration::from_millis(333)).await;
        Some((Ok(Event::default().data(tick.to_string())), tick + 1))
    });
    Sse::new(ticks).keep_alive(KeepAlive::default())
}

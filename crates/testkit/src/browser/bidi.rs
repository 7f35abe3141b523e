//! Commands and events of WebDriver BiDi: JSON in the messages of a WebSocket.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long a browser may take over anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Events that are kept until somebody asks for them.
const MAX_EVENTS: usize = 10_000;

#[derive(Debug)]
pub(super) struct Bidi {
    socket: WebSocket<TcpStream>,
    last: u64,
    events: Vec<Value>,
}

impl Bidi {
    pub(super) fn connect(address: SocketAddr) -> Result<Self, String> {
        let socket = TcpStream::connect(address).map_err(|error| format!("no connection to the browser: {error}"))?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        let url = format!("ws://{address}/session");
        let (socket, _) = tungstenite::client(url, socket).map_err(|error| format!("no WebSocket: {error}"))?;
        Ok(Self { socket, last: 0, events: Vec::new() })
    }

    /// Sends a command and waits for its answer; events that come before it are kept.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        self.last += 1;
        let command = json!({ "id": self.last, "method": method, "params": params }).to_string();
        self.socket.send(Message::text(command)).map_err(|error| format!("{method}: {error}"))?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let message = self.read().map_err(|error| format!("{method}: {error}"))?;
            if message["id"].as_u64() == Some(self.last) {
                return match message["type"].as_str() {
                    Some("error") => Err(format!("{method}: {}: {}", message["error"], message["message"])),
                    _ => Ok(message["result"].clone()),
                };
            }
            if message["type"] == "event" && self.events.len() < MAX_EVENTS {
                self.events.push(message);
            }
        }
        Err(format!("{method}: no answer"))
    }

    pub(super) fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// Reads until the browser has closed the connection.
    pub(super) fn wait_for_close(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && self.socket.read().is_ok() {}
    }

    fn read(&mut self) -> Result<Value, String> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).map_err(|error| error.to_string()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

//! Chromium's network log: what it sent and received.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One frame that matters here, in the order in which it was sent or received.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// An HTTP/2 request.
    Request {
        /// Its stream.
        stream: u64,
        /// The path that it asks for.
        path: String,
    },
    /// The head of a response, an interim one too.
    Response {
        /// Its stream.
        stream: u64,
        /// Its status.
        status: u16,
        /// Its other fields.
        fields: Vec<(String, String)>,
    },
    /// A push, which Chromium refuses.
    Promise,
    /// The server ends the connection.
    Goaway,
}

/// Reads the file of `--log-net-log`, keeping the sessions with one authority (`host:port`).
///
/// # Errors
///
/// If it was not written to its end, or is no network log.
pub fn read(file: &Path, authority: &str) -> Result<Vec<Frame>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("the network log: {error}"))?;
    let log: Value = serde_json::from_str(&text).map_err(|error| format!("the network log: {error}"))?;
    let types = log["constants"]["logEventTypes"].as_object().ok_or("a network log without event types")?;
    let names: BTreeMap<u64, &str> =
        types.iter().filter_map(|(name, id)| Some((id.as_u64()?, name.as_str()))).collect();
    let mut ours = Vec::new();
    let mut frames = Vec::new();
    for event in log["events"].as_array().into_iter().flatten() {
        let name = event["type"].as_u64().and_then(|id| names.get(&id)).copied().unwrap_or_default();
        let (source, params) = (&event["source"]["id"], &event["params"]);
        if name == "HTTP2_SESSION" && params["host"].as_str() == Some(authority) {
            ours.push(source.clone());
        }
        if ours.contains(source) {
            frames.extend(frame(name, params));
        }
    }
    Ok(frames)
}

/// Paths asked for, in order, without the icon that browsers ask for by themselves.
pub fn requested(frames: &[Frame]) -> Vec<&str> {
    let paths = frames.iter().filter_map(|frame| match frame {
        Frame::Request { path, .. } => Some(path.as_str()),
        _ => None,
    });
    paths.filter(|path| *path != "/favicon.ico").collect()
}

/// The `Link` fields of the 103s, in order.
pub fn hints(frames: &[Frame]) -> Vec<String> {
    let hints = frames.iter().filter_map(|frame| match frame {
        Frame::Response { status: 103, fields, .. } => Some(fields),
        _ => None,
    });
    let links = hints.flatten().filter(|(name, _)| name == "link");
    // Several fields of one name stand in one entry, apart by NUL.
    links.flat_map(|(_, value)| value.split('\0')).map(str::to_owned).collect()
}

fn frame(name: &str, params: &Value) -> Option<Frame> {
    let stream = params["stream_id"].as_u64().unwrap_or_default();
    match name {
        "HTTP2_SESSION_SEND_HEADERS" => {
            let path = fields(params).into_iter().find(|(name, _)| name == ":path")?.1;
            Some(Frame::Request { stream, path })
        }
        "HTTP2_SESSION_RECV_HEADERS" => {
            let mut fields = fields(params);
            let at = fields.iter().position(|(name, _)| name == ":status")?;
            let status = fields.remove(at).1.parse().ok()?;
            Some(Frame::Response { stream, status, fields })
        }
        "HTTP2_SESSION_RECV_PUSH_PROMISE" => Some(Frame::Promise),
        "HTTP2_SESSION_RECV_GOAWAY" => Some(Frame::Goaway),
        _ => None,
    }
}

/// Header fields stand as `"name: value"`.
fn fields(params: &Value) -> Vec<(String, String)> {
    let lines = params["headers"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines
        .filter_map(|line| {
            let at = line[1..].find(": ")? + 1;
            Some((line[..at].to_owned(), line[at + 2..].to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let event = |kind: u8, source: u8, params: Value| serde_json::json!({ "type": kind, "source": { "id": source }, "params": params });
        let log = serde_json::json!({
            "constants": { "logEventTypes": {
                "HTTP2_SESSION": 1, "HTTP2_SESSION_SEND_HEADERS": 2, "HTTP2_SESSION_RECV_HEADERS": 3,
            } },
            "events": [
                event(1, 7, serde_json::json!({ "host": "localhost:1" })),
                event(1, 8, serde_json::json!({ "host": "localhost:2" })),
                event(2, 8, serde_json::json!({ "headers": [":path: /other"] })),
                event(2, 7, serde_json::json!({ "headers": [":method: GET", ":path: /"] })),
                event(3, 7, serde_json::json!({ "headers": [":status: 103", "link: </a>; rel=preload\0</b>; rel=preload"] })),
                event(3, 7, serde_json::json!({ "headers": [":status: 200", "link: </c>; rel=preload"] })),
                event(2, 7, serde_json::json!({ "headers": [":path: /favicon.ico"] })),
            ],
        });
        std::fs::write(file.path(), log.to_string()).unwrap();
        let frames = read(file.path(), "localhost:1").unwrap();
        assert_eq!(requested(&frames), ["/"]);
        assert_eq!(crate::http2::targets(&hints(&frames)), ["/a", "/b"]);
    }
}

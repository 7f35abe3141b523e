//! What Chromium put on the wire and got from it: its network log.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One frame that matters here, in the order in which it was sent or received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    /// An HTTP/2 request.
    Request {
        stream: u64,
        path: String,
    },
    /// The head of a response, an interim one too.
    Response {
        stream: u64,
        status: u16,
        fields: Vec<(String, String)>,
    },
    /// A push, which Chromium refuses.
    Promise,
    Goaway,
}

/// Reads the file of `--log-net-log`, keeping the sessions with the server on `port`.
pub(crate) fn read(file: &Path, port: u16) -> Vec<Frame> {
    let text = std::fs::read_to_string(file).expect("the network log");
    parse(&text, port)
}

fn parse(text: &str, port: u16) -> Vec<Frame> {
    let log: Value = serde_json::from_str(text).expect("the network log was written to its end");
    let types = log["constants"]["logEventTypes"].as_object().expect("event types");
    let names: BTreeMap<u64, &str> =
        types.iter().filter_map(|(name, id)| Some((id.as_u64()?, name.as_str()))).collect();
    let authority = format!("127.0.0.1:{port}");
    let mut ours = Vec::new();
    let mut frames = Vec::new();
    for event in log["events"].as_array().expect("events") {
        let name = event["type"].as_u64().and_then(|id| names.get(&id)).copied().unwrap_or_default();
        let (source, params) = (&event["source"]["id"], &event["params"]);
        if name == "HTTP2_SESSION" && params["host"].as_str() == Some(&authority) {
            ours.push(source.clone());
        }
        if ours.contains(source) {
            frames.extend(frame(name, params));
        }
    }
    frames
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

//! Bytes that no decent client sends.

use super::node;
use super::server::Server;
use serde_json::json;

const SCRIPT: &str = include_str!("raw.mjs");

/// Sends bytes over TLS after choosing a protocol by ALPN; returns what came back.
pub(crate) fn send(server: &Server, protocol: &str, bytes: &str) -> String {
    let ca = std::fs::read_to_string(&server.cert).expect("cert.pem");
    let task = json!({"port": server.port, "ca": ca, "protocol": protocol, "bytes": bytes});
    String::from_utf8_lossy(&node::evaluate(SCRIPT, &task)).into_owned()
}

//! Bytes that no decent client sends.

use super::server::Server;
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};

const SCRIPT: &str = include_str!("raw.mjs");

/// Sends bytes over TLS after choosing a protocol by ALPN; returns what came back.
pub(crate) fn send(server: &Server, protocol: &str, bytes: &str) -> String {
    let ca = std::fs::read_to_string(&server.cert).expect("cert.pem");
    let task = json!({"port": server.port, "ca": ca, "protocol": protocol, "bytes": bytes});
    let mut child = Command::new("node")
        .args(["--input-type=module", "--eval", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(task.to_string().as_bytes()).expect("it reads its task");
    drop(stdin);
    let output = child.wait_with_output().expect("node ends");
    assert!(output.status.success(), "node failed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

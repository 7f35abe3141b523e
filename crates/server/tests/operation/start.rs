//! Conditions that hold from the start: one server for a snapshot, lines as JSON, cleartext where it is asked for.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::client::Client;
use super::rig::{Files, Program};

#[test]
fn two_servers_do_not_write_one_snapshot() {
    let files = Files::new();
    files.write("s/index.html", "page");
    let serve = || {
        let mut command = files.program();
        command.args(["serve", "s", "--listen", "http://127.0.0.1:0", "--state-dir", "state"]);
        command
    };
    let first = Program::start(&mut serve());
    first.port("http");
    let (status, printed) = Program::start(&mut serve()).wait();
    assert_eq!(status.code(), Some(2), "{printed}");
    assert!(printed.contains("state/snapshot") && printed.contains("is writing it"), "{printed}");
    let log = files.write("access.log", "");
    let learn = files.program().args(["learn", "--state-dir", "state"]).arg(log).output().unwrap();
    assert_eq!(learn.status.code(), Some(2));
    first.kill();
    let second = Program::start(&mut serve());
    second.port("http");
}

#[tokio::test]
async fn lines_are_json_if_asked_for() {
    let files = Files::new();
    files.write("s/index.html", "<!doctype html>page");
    let cert = files.certify("a", "localhost");
    let mut command = files.program();
    command.args(["serve", "s", "--listen", "127.0.0.1:0", "--cert", "a.crt", "--key", "a.key"]);
    command.env("HEADSTART_LOG_FORMAT", "json");
    let program = Program::start(&mut command);
    let line: serde_json::Value = serde_json::from_str(&program.line(0, "https://")).expect("JSON");
    let message = line["fields"]["message"].as_str().expect("a message");
    let port = message.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let connection = Client::new(&[&cert]).connect(port, "localhost").await.unwrap();
    let page = http::Request::get("https://localhost/").header("accept", "text/html");
    assert_eq!(connection.send(page.body(()).unwrap()).await.unwrap().0, 200);
    program.line(0, "nothing known of this page yet");
    program.signal("TERM");
    let (_, printed) = program.wait();
    for line in printed.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn cleartext_beside_tls() {
    let files = Files::new();
    files.write("s/index.html", "page");
    files.write(
        "x.toml",
        "listen = [\"127.0.0.1:0\", \"http://127.0.0.1:0\"]\n[[site]]\nroot = \"s\"\nhosts = [\"a.example\"]\n",
    );
    let mut command = files.program();
    // What is typed goes over the environment, and that over the file.
    command
        .args(["--set", "log.views=false"])
        .env("HEADSTART_CONFIG", "x.toml")
        .env("HEADSTART_LEARN_MIN_NETWORKS", "7");
    let program = Program::start(&mut command);
    program.line(0, "once 7 networks");
    let ask = |host: &str| {
        let mut socket = TcpStream::connect(("127.0.0.1", program.port("http"))).unwrap();
        write!(socket, "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(ask("a.example"), "HTTP/1.1 200 OK");
    assert_eq!(ask("A.example:81"), "HTTP/1.1 200 OK");
    assert_eq!(ask("b.example"), "HTTP/1.1 421 Misdirected Request");
}

#[test]
fn plain_http_on_the_port_of_https_is_told_so() {
    let files = Files::new();
    files.write("s/index.html", "page");
    let program = Program::start(files.program().args(["serve", "s", "--listen", "127.0.0.1:0", "--no-state"]));
    let reply = testkit::http1::get(("127.0.0.1", program.port("https")), "a.example", "/", &[]);
    assert_eq!((reply.status, reply.field("connection")), (400, Some("close")));
    assert!(reply.text().contains("Write https:// in front of the address"), "{}", reply.text());
    assert_eq!(reply.field("content-length"), Some(&*reply.body.len().to_string()));
}

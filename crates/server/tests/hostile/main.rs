//! What a hostile client may ask for: some 600 requests, each over HTTP/1.1 and most over HTTP/2, as raw bytes over TLS
//! to the real program. Around the served directory, and in it under names that are not served, lie files with a word
//! that must never be seen.
//!
//! Of every request: an answer or an end within seconds, no status of 500 or more, never that word; of a path that names
//! nothing that is served, a status of 400 or more.
#![forbid(unsafe_code)]

mod client;
mod paths;
mod requests;
mod tree;

use client::{Answer, Client};
use requests::Case;
use testkit::{Program, tls};
use tree::{CANARY, Tree};

/// The program on a free port with a certificate of its own, and a client that trusts it.
fn start(tree: &Tree) -> (Program, Client) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_headstart"));
    command
        .arg("serve")
        .arg(tree.root())
        .args(["--listen", "127.0.0.1:0", "--no-state", "--state-dir"])
        .arg(tree.state());
    let server = Program::start(command.stdin(std::process::Stdio::null()));
    let port = server.port("https");
    (server, Client::new(port, &tls::read_certificate(&tree.state().join("localhost.pem"))))
}

#[test]
fn no_path_leads_out() {
    let tree = Tree::new();
    let (server, client) = start(&tree);
    let mut wrong = Vec::new();
    let paths = paths::all();
    assert!(paths.len() >= 300, "{}", paths.len());
    for path in &paths {
        for (protocol, answer) in [("HTTP/1.1", client.get_1(path)), ("HTTP/2", client.get_2(path, &[]))] {
            let refused = match &answer {
                Answer::Response { status, .. } => (400..500).contains(status),
                Answer::Closed { .. } => true,
                Answer::Silence => false,
            };
            if !refused || answer.holds(CANARY) {
                wrong.push(format!("{protocol} {path:?}: {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), paths.len(), wrong.join("\n"));
    check_alive(server, &client);
}

#[test]
fn no_request_makes_it_fail() {
    let tree = Tree::new();
    let (server, client) = start(&tree);
    let cases = requests::all();
    assert!(cases.len() >= 100, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (shown, answer) = match case {
            Case::Raw(bytes) => (bytes.clone(), client.raw_1(bytes.as_bytes())),
            Case::Fields(path, fields) => (format!("{path} {fields:?}"), client.get_2(path, fields)),
        };
        let fails = matches!(answer, Answer::Silence | Answer::Response { status: 500.., .. });
        if fails || answer.holds(CANARY) {
            wrong.push(format!("{:?}: {answer:?}", shown.chars().take(200).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    check_alive(server, &client);
}

/// Asserts that public files are still served, and that nothing in the program broke.
fn check_alive(server: Program, client: &Client) {
    for (path, body) in
        [("/", "front page"), ("/sub/", "sub page"), ("/.well-known/open.txt", "open"), ("/in", "plain")]
    {
        for answer in [client.get_1(path), client.get_2(path, &[])] {
            assert!(matches!(answer, Answer::Response { status: 200, .. }) && answer.holds(body), "{path}: {answer:?}");
        }
    }
    let printed = server.kill();
    assert!(!printed.contains("panicked") && !printed.contains(CANARY), "{printed}");
}

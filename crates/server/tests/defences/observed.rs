//! What operators look at: logs, state and the listener for them.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::http1;
use testkit::{Program, tls::Certificate};

use super::rig::Server;

#[test]
fn no_line_of_a_log_moves_the_cursor_or_turns_the_text() {
    let server = Server::start("[log]\naccess = \"@dir@/access.log\"\n");
    // CSI as one character (C1), an override of the direction, and the usual escape.
    let evil = "x\u{9b}31m\u{202e}exe\u{2066}";
    let request = format!(
        "GET /?q HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {evil}\r\nReferer: http://a/{evil}\r\nConnection: close\r\n\r\n"
    );
    assert!(server.raw(request.as_bytes()).starts_with("HTTP/1.1 200 "));
    server.raw(b"GET /%1b[2J%c2%9b31m%e2%80%ae HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    let path = server.files.path().join("access.log");
    let deadline = Instant::now() + testkit::PATIENCE;
    let log = loop {
        let log = std::fs::read_to_string(&path).unwrap_or_default();
        if log.lines().count() >= 2 || Instant::now() > deadline {
            break log;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(log.lines().count(), 2, "{log:?}");
    let moves = |c: char| c != '\n' && (c.is_control() || ('\u{200b}'..='\u{2069}').contains(&c));
    assert!(!log.contains(moves), "{log:?}");
    assert!(!server.program.printed().contains(moves), "{:?}", server.program.printed());
}

#[test]
fn who_has_no_token_and_does_not_read_keeps_the_listener_from_nobody() {
    let server = Server::start("[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"a-token-of-some-length\"\n");
    let line = server.program.line(0, "the dashboard at http://");
    let port = line.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
    let port: u16 = port.unwrap_or_else(|| panic!("no port in {line}"));
    let mut held = Vec::new();
    for number in 0..130 {
        let Ok(mut socket) = http1::connect(("127.0.0.1", port)) else { continue };
        let request =
            if number % 2 == 0 { "GET / HTTP/1.1\r\n" } else { "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" };
        // It may refuse.
        let _ = socket.write_all(request.as_bytes());
        held.push(socket);
    }
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let reply =
        http1::get(("127.0.0.1", port), "localhost", "/metrics", &[("authorization", "Bearer a-token-of-some-length")]);
    assert_eq!(reply.status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(held);
}

fn program(directory: &std::path::Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
    command.env_clear().env("HOME", directory).current_dir(directory).stdin(Stdio::null());
    command.args(words);
    command
}

#[test]
fn what_a_kill_left_is_removed_and_a_pipe_is_no_snapshot() {
    let files = tempfile::tempdir().expect("a directory");
    let left = files.path().join(".headstart-snapshot-aB3x9Z");
    std::fs::write(&left, "unfinished").expect("a file");
    let words = ["serve", "--set", "listen=http://127.0.0.1:0", "--state-dir", "."];
    let server = Program::start(&mut program(files.path(), &words));
    server.line(0, "http://127.0.0.1:");
    assert!(!left.exists());
    server.kill();

    let _ = std::fs::remove_file(files.path().join("snapshot"));
    assert!(Command::new("mkfifo").arg(files.path().join("snapshot")).status().expect("mkfifo runs").success());
    let mut server = Program::start(&mut program(files.path(), &words));
    let ended = server.wait_for_end().expect("it does not hang");
    assert!(!ended.success() && server.printed().contains("no regular file"), "{}", server.printed());
}

#[test]
fn a_certificate_for_another_name_is_said() {
    let files = tempfile::tempdir().expect("a directory");
    Certificate::write(files.path(), "other", &["b.example"]);
    let config = "[[listen]]\naddress = \"127.0.0.1:0\"\n[[site]]\nhosts = [\"a.example\"]\nroot = \".\"\ncert = \"other.crt\"\nkey = \"other.key\"\n";
    std::fs::write(files.path().join("x.toml"), config).expect("a file");
    let output = program(files.path(), &["check", "x.toml"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("a.example") && said.contains("certificate"), "{said}");
}

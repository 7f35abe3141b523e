//! The end, what needs no directory, and what a terminal shows.

use std::io::Write as _;
use std::process::Command;

use testkit::app::{self, Response};
use testkit::{http1, tools};

use super::rig::{Files, Program};

#[test]
fn a_stop_says_what_it_waits_for_and_how_long() {
    let files = Files::new();
    let slow = app::serve(|_| {
        std::thread::sleep(std::time::Duration::from_secs(4));
        Response { status: 200, body: b"late".to_vec(), ..Response::default() }
    });
    let url = format!("http://{slow}");
    let program = Program::start(files.program().args([
        "proxy",
        &url,
        "--listen",
        "http://127.0.0.1:0",
        "--no-state",
        "--set",
        "timeouts.drain=30s",
    ]));
    let line = program.line(0, "point a browser at http://");
    let port: u16 = line.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let mut socket = http1::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(http1::head("a.example", "/", &[]).as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    program.signal("TERM");
    let line = program.line(0, "stopping: ");
    assert!(line.contains("1 connection still has responses under way; waiting for up to 30 s"), "{line}");
    let (bytes, closed) = http1::read_to_end(&mut socket);
    let reply = http1::Reply::parse(&bytes).expect("the response that was under way");
    assert!(closed && reply.text() == "late", "{reply:?}");
    assert!(program.wait().0.success());
}

#[test]
fn without_a_snapshot_no_state_directory_is_needed() {
    let files = Files::new();
    files.write("s/index.html", "page");
    let mut command = files.program();
    command.env_remove("HOME").args(["serve", "s", "--no-state", "--listen", "127.0.0.1:0"]);
    let program = Program::start(&mut command);
    program.line(0, "self-signed certificate made for this run");
    program.port("https");
    // With one, the way out is named.
    let output = files.program().env_remove("HOME").args(["serve", "s", "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("name one with --state-dir") && said.lines().count() == 1, "{said}");
}

#[test]
fn colours_are_for_terminals() {
    if !tools::have(&["script"]) {
        return;
    }
    let files = Files::new();
    files.write("x.toml", "wndow = 3\n");
    let check = format!("{} check x.toml", env!("CARGO_BIN_EXE_headstart"));
    let on_terminal = |variables: &[(&str, &str)]| {
        let mut command = Command::new("script");
        files.isolate(&mut command);
        // `script` runs its command on a terminal of its own.
        command.args(["-qec", &check, "/dev/null"]).env("TERM", "xterm").envs(variables.iter().copied());
        String::from_utf8_lossy(&command.output().expect("script runs").stdout).into_owned()
    };
    let coloured = on_terminal(&[]);
    assert!(coloured.contains("\u{1b}[1mx.toml:1:1\u{1b}[0m: wndow: no such setting"), "{coloured:?}");
    for plain in [on_terminal(&[("NO_COLOR", "1")]), on_terminal(&[("TERM", "dumb")])] {
        assert!(plain.contains("x.toml:1:1: wndow") && !plain.contains('\u{1b}'), "{plain:?}");
    }
}

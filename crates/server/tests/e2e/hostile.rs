//! Nothing that one client sends can stop another client's page.

use crate::admin::visit;
use crate::rig::admin::Admin;
use crate::rig::server::{Home, Server};
use crate::rig::site::{FONT, ONE, SHARED, Site};
use crate::rig::{curl, nghttp, raw, tools};
use std::io::Write as _;
use std::net::TcpStream;

#[test]
fn malformed_http_1_requests_get_the_right_status() {
    if !tools::have(&["curl", "nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let cases = [
        ("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", &["200"][..]),
        ("GET / HTTP/1.1\r\nconnection: close\r\n\r\n", &["400"]),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n", &["400"]),
        ("GET /\u{1} HTTP/1.1\r\nhost: a\r\n\r\n", &["400"]),
        ("GET / HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n", &["400"]),
        ("GET / HTTP/9.9\r\nhost: a\r\n\r\n", &["400", "505"]),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n", &["400"]),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /other.html HTTP/1.1\r\nhost: a\r\n\r\n",
            // Refused either way, and what follows is never taken for a second request.
            &["400", "405"],
        ),
        (&long, &["400", "431"]),
    ];
    let mut wrong = Vec::new();
    for (bytes, expected) in cases {
        let answer = raw::send(&server, "http/1.1", bytes);
        let statuses: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)).collect();
        if !matches!(statuses.as_slice(), [one] if expected.contains(one)) {
            let shown = &bytes[..bytes.len().min(120)];
            wrong.push(format!("{shown:?}: {statuses:?}, not one of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_page_is_served(&server);
}

#[test]
fn garbage_and_idle_connections_stop_nobody() {
    if !tools::have(&["curl", "nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let mut server = Server::start(&site, &home, &[]);
    let connect = || TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
    let idle: Vec<_> = (0..60).map(|_| connect()).collect();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\xff\xff", &[0; 4096], &[0xff; 4096]] {
        // It may close before all was written.
        let _ = connect().write_all(bytes);
    }
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for frame in [
        "",
        "garbage instead of a frame",
        // SETTINGS of 0xffffff bytes; HEADERS on stream 0; DATA before HEADERS; RST_STREAM of an idle stream.
        "\u{ff}\u{ff}\u{ff}\u{4}\0\0\0\0\0",
        "\0\0\u{1}\u{1}\u{4}\0\0\0\0\u{82}",
        "\0\0\u{1}\0\0\0\0\0\u{1}x",
        "\0\0\u{4}\u{3}\0\0\0\0\u{1}\0\0\0\u{8}",
    ] {
        raw::send(&server, "h2", &format!("{preface}\0\0\0\u{4}\0\0\0\0\0{frame}"));
    }
    assert_page_is_served(&server);
    drop(idle);
    assert!(server.is_alive());
}

fn assert_page_is_served(server: &Server) {
    for options in [&["--http1.1"], &["--http2"]] {
        let (heads, body) = curl::get(server, "/", options);
        assert_eq!(heads.last().map(|head| head.status), Some(200));
        assert!(body.starts_with(b"<!doctype html>"));
    }
    let trace = nghttp::get(server, "/", &[]);
    assert_eq!(trace.status(trace.page()), Some(200));
}

#[test]
fn invented_hosts_keep_no_other_from_being_learned() {
    if !tools::have(&["curl"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let options = ["--admin", "127.0.0.1:0", "--min-networks", "3"];
    let server = Server::start(&site, &home, &options);
    invent_hosts(&server, "first", 300);
    let stopped = server.stop();
    assert!(stopped.success(), "{stopped:?}");
    // They are in the snapshot, and the attack goes on.
    let server = Server::start(&site, &home, &options);
    for (round, network) in
        ["127.1.1.1", "127.2.1.1", "127.3.1.1", "127.4.1.1", "127.5.1.1", "127.6.1.1"].iter().enumerate()
    {
        invent_hosts(&server, &format!("round-{round}"), 20);
        visit(&server, network, "/", &[SHARED, FONT, ONE]);
    }
    server.line("a displaced site", |line| line.contains("took the place of one that fewer networks know"));
    server.let_visits_end();
    let state = Admin::of(&server).get("/state");
    assert_eq!(state.json()["pages"][0]["host"], format!("127.0.0.1:{}", server.port), "{}", state.body);
}

/// Navigates to pages of hosts that nobody has, all of them from one network; each is answered 200.
fn invent_hosts(server: &Server, name: &str, count: usize) {
    let request = |number: usize, last: bool| {
        let connection = if last { "close" } else { "keep-alive" };
        format!(
            "GET / HTTP/1.1\r\nhost: {number}.{name}.invented\r\naccept: text/html\r\nsec-fetch-mode: navigate\r\n\
             sec-fetch-dest: document\r\nconnection: {connection}\r\n\r\n"
        )
    };
    let requests: String = (0..count).map(|number| request(number, number + 1 == count)).collect();
    let answers = raw::send(server, "http/1.1", &requests);
    assert_eq!(answers.matches("HTTP/1.1 200").count(), count);
}

#[test]
fn a_crowd_behind_one_address_is_refused_nothing() {
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let request = |path: &str, connection: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: {connection}\r\n\r\n")
    };
    let page = [request("/", "keep-alive"), request(SHARED, "keep-alive"), request(ONE, "close")].concat();
    std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..200).map(|_| scope.spawn(|| raw::send(&server, "http/1.1", &page))).collect();
        for client in crowd {
            let answers = client.join().expect("no panic");
            assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers:.200}");
        }
    });
}

/// One client with 1,125 requests for a large file, of which it takes nothing, on a server that may open 1,024 files.
#[test]
fn downloads_that_nobody_takes_leave_pages_to_others() {
    if !tools::have(&["curl", "prlimit"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    std::fs::write(site.dir().join("large.bin"), vec![0; 6 << 20]).expect("a file");
    let server = Server::start(&site, &home, &[]);
    let process = server.id().to_string();
    let limited = std::process::Command::new("prlimit").args(["--nofile=1024:1024", "--pid", &process]).status();
    assert!(limited.expect("prlimit runs").success());
    let held: Vec<_> = (0..9).map(|_| raw::hold_downloads(&server, "/large.bin", 125)).collect();
    std::thread::sleep(std::time::Duration::from_millis(500));
    visit(&server, "127.0.0.3", "/", &[SHARED, FONT, ONE]);
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", server.id())).expect("a process").count();
    assert!(descriptors < 200, "{descriptors} are open");
    drop(held);
}

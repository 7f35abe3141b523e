//! Both browsers load a page, run a script in it and show what their console says.
#![forbid(unsafe_code)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use testkit::browser::{Browser, Engine, Launch, programs};
use testkit::tools;

/// A page over cleartext HTTP/1.1, as often as it is asked for.
fn page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer);
            let body = "<!doctype html><title>t</title><script>console.warn('seen')</script><p id=a>text";
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = socket.write_all((head + body).as_bytes());
        }
    });
    format!("http://{address}/")
}

fn check(engine: Engine) {
    if !tools::have(programs(engine)) {
        return;
    }
    let profile = tempfile::tempdir().unwrap();
    let launch = Launch { engine, profile: profile.path(), spki: "", prefix: &[], flags: &[] };
    let mut browser = Browser::start(&launch).unwrap();
    browser.open(&page()).unwrap();
    assert_eq!(browser.run("return document.getElementById('a').textContent;").unwrap(), "text");
    assert!(browser.run("throw new Error('on purpose');").unwrap_err().contains("on purpose"));
    assert!(browser.console().unwrap().iter().any(|line| line.contains("seen")));
    assert!(browser.screenshot().unwrap().starts_with(b"\x89PNG"));
    browser.close().unwrap();
}

#[test]
fn chromium_is_driven() {
    check(Engine::Chromium);
}

#[test]
fn firefox_is_driven() {
    check(Engine::Firefox);
}

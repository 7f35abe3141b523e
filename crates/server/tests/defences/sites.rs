//! Who gets to which site.

use std::sync::{Arc, Mutex};

use testkit::app;

use super::rig::{Server, answer};

#[test]
fn nothing_leads_out_of_the_path_of_a_site() {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&seen);
    let application = app::serve(move |request| {
        log.lock().expect("no panic under the lock").push(request.target.clone());
        answer(&[], "ok")
    });
    let server = Server::start(&format!("[[site]]\npath = \"/app\"\nupstream = \"http://{application}\"\n"));
    assert_eq!(server.get("/app/fine", &[]).status, 200);
    for path in [
        "/app/../secret",
        "/app/%2e%2e/secret",
        "/app/%2E%2e/secret",
        "/app/.%2e/secret",
        "/app/..%2fsecret",
        "/app/..%5csecret",
        "/app/..\\secret",
        "/app/..;/secret",
        "/app/..;a=b/secret",
        "/app/a/../../secret",
        "/app/%252e%252e/%2e%2e/secret",
        "/secret",
        "/apps",
        "//app/../secret",
        "/app/..//secret",
        "/app/.;/../secret",
    ] {
        let status =
            server.raw(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(status.starts_with("HTTP/1.1 4"), "{path}: {status}");
    }
    assert_eq!(*seen.lock().expect("no panic under the lock"), ["/app/fine"]);
}

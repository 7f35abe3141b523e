//! Paths that lead elsewhere, and requests without TLS.

use std::io::Write as _;

use testkit::http1;

use super::rig::{Files, Program};

#[test]
fn paths_lead_elsewhere_and_what_is_caught_goes_along() {
    let files = Files::new();
    files.write("s/index.html", "page");
    files.write(
        "x.toml",
        r#"listen = "http://127.0.0.1:0"
[[site]]
root = "s"
[[site.redirect]]
from = "/blog/*/**"
to = "https://blog.example.org/$1/$2"
[[site.redirect]]
from = "/old"
to = "/"
status = 301
[[site.redirect]]
from = "/x/**"
to = "/$1"
"#,
    );
    let program = Program::start(files.program().args(["--config", "x.toml", "--no-state"]));
    let port = program.port("http");
    let get = |target: &str| {
        let reply = http1::get(("127.0.0.1", port), "a.example", target, &[]);
        (reply.status, reply.field("location").map(str::to_owned))
    };
    let to = |location: &str| Some(location.to_owned());
    assert_eq!(get("/blog/2024/a/b?c=d"), (308, to("https://blog.example.org/2024/a/b?c=d")));
    assert_eq!(get("/old?q"), (301, to("/?q")));
    assert_eq!(get("/x//evil.example/"), (308, to("/evil.example/")));
    assert_eq!(get("/"), (200, None));
    assert_eq!(get("/older"), (404, None));
}

#[test]
fn without_tls_a_site_or_a_listener_leads_to_https() {
    let files = Files::new();
    files.write("s/index.html", "page");
    files.write("s/.well-known/acme-challenge/token", "proof");
    let cert = files.certify("a", "localhost");
    files.write(
        "x.toml",
        r#"[[listen]]
address = "http://127.0.0.1:0"
[[listen]]
address = "127.0.0.1:0"
[limits]
trusted_proxies = ["127.0.0.1"]
[tls]
cert = "a.crt"
key = "a.key"
[[site]]
root = "s"
https = true
hsts = true
"#,
    );
    let program = Program::start(files.program().args(["--config", "x.toml", "--no-state"]));
    let (plain, secure) = (program.port("http"), program.port("https"));
    let get = |host: &str, path: &str, fields: &[(&str, &str)]| {
        let reply = http1::get(("127.0.0.1", plain), host, path, fields);
        (reply.status, reply.field("location").map(str::to_owned), reply.field("strict-transport-security").is_some())
    };
    let moved = |location: &str| (308, Some(location.to_owned()), false);
    assert_eq!(get("a.example", "/p?q=1", &[]), moved("https://a.example/p?q=1"));
    assert_eq!(get("localhost:8080", "/", &[]), moved(&format!("https://localhost:{secure}/")));
    assert_eq!(get("a.example", "/.well-known/acme-challenge/token", &[]), (200, None, false));
    // The proxy in front speaks TLS with the client.
    let over_tls = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")];
    assert_eq!(get("a.example", "/", &over_tls), (200, None, true));

    for (path, status) in [("/", 200), ("/none", 404)] {
        let config = testkit::tls::client(&[&cert], &["http/1.1"]);
        let socket = http1::connect(("127.0.0.1", secure)).expect("it listens");
        let mut stream = testkit::tls::blocking(&config, "localhost", socket);
        stream.write_all(http1::head("localhost", path, &[]).as_bytes()).expect("it reads");
        let reply = http1::Reply::parse(&http1::read_to_end(&mut stream).0).expect("a response");
        assert_eq!(
            (reply.status, reply.field("strict-transport-security")),
            (status, Some("max-age=31536000")),
            "{path}"
        );
    }
}

#[test]
fn a_listener_may_redirect_everything() {
    let files = Files::new();
    files.write("s/index.html", "page");
    files.write(
        "x.toml",
        "[[listen]]\naddress = \"http://127.0.0.1:0\"\nhttps = true\n[[listen]]\naddress = \"127.0.0.1:0\"\n[[site]]\nroot = \"s\"\n",
    );
    let program = Program::start(files.program().args(["--config", "x.toml", "--no-state"]));
    let reply = http1::get(("127.0.0.1", program.port("http")), "a.example", "/a", &[]);
    assert_eq!((reply.status, reply.field("location")), (308, Some("https://a.example/a")));
}

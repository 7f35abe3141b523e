//! SIGHUP and certificates that change, with clients on open connections.

use http::StatusCode;

use super::client::Client;
use super::rig::{Files, Program, text};

/// Sites `a.example` and `*.b.example` with a certificate each, and one for all other names.
fn two_sites(files: &Files) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    files.write("a/index.html", "site a");
    files.write("b/index.html", "site b");
    files.write("rest/index.html", "the rest");
    let config = r#"
listen = ["127.0.0.1:0", "http://127.0.0.1:0"]
[tls]
cert = "rest.crt"
key = "rest.key"
poll = "100ms"
[[site]]
hosts = ["a.example"]
root = "a"
cert = "a.crt"
key = "a.key"
[[site]]
hosts = ["*.b.example"]
root = "b"
cert = "b.crt"
key = "b.key"
[[site]]
root = "rest"
"#;
    files.write("x.toml", config);
    (files.certify("a", "a.example"), files.certify("b", "x.b.example"), files.certify("rest", "localhost"))
}

fn start(files: &Files) -> Program {
    Program::start(files.program().args(["--config", "x.toml"]))
}

#[tokio::test]
async fn each_name_has_its_certificate_and_site() {
    let files = Files::new();
    let (a, b, rest) = two_sites(&files);
    let program = start(&files);
    let port = program.port("https");
    let client = Client::new(&[&a, &b, &rest]);
    for (name, body, shown) in
        [("a.example", "site a", &a), ("x.b.example", "site b", &b), ("localhost", "the rest", &rest)]
    {
        let connection = client.connect(port, name).await.unwrap();
        assert_eq!(&connection.certificate, shown, "{name}");
        let (status, found) = connection.get(&format!("{name}:{port}"), "/").await.unwrap();
        assert_eq!((status, &*found), (StatusCode::OK, body), "{name}");
    }
    // A name of another certificate on the same connection.
    let connection = client.connect(port, "a.example").await.unwrap();
    for other in ["x.b.example", "localhost", "other.example"] {
        let (status, _) = connection.get(other, "/").await.unwrap();
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{other}");
    }
    assert_eq!(connection.get("A.EXAMPLE", "/").await.unwrap().0, StatusCode::OK);
}

#[tokio::test]
async fn sessions_are_resumed() {
    let files = Files::new();
    let (a, ..) = two_sites(&files);
    let program = start(&files);
    let port = program.port("https");
    let client = Client::new(&[&a]);
    let first = client.connect(port, "a.example").await.unwrap();
    // The tickets come with the first response at the latest.
    first.get("a.example", "/").await.unwrap();
    assert!(!first.resumed);
    assert!(client.connect(port, "a.example").await.unwrap().resumed);
    // Nor does a reload end that.
    assert!(program.reload().starts_with("reloaded"), "{}", program.printed());
    assert!(client.connect(port, "a.example").await.unwrap().resumed);
}

#[tokio::test]
async fn certificates_that_change_are_used_and_broken_ones_are_not() {
    let files = Files::new();
    let (a, _, rest) = two_sites(&files);
    let program = start(&files);
    let port = program.port("https");
    let shown = async |trusted: &[&[u8]]| {
        Client::new(trusted).connect(port, "a.example").await.map(|connection| connection.certificate).ok()
    };
    assert_eq!(shown(&[&a]).await, Some(a.clone()));
    let before = program.count();
    files.write("a.crt", "garbage");
    program.line(before, "a.crt");
    program.line(before, "those from before are still used");
    assert_eq!(shown(&[&a]).await, Some(a.clone()));
    let before = program.count();
    let new = files.certify("a", "a.example");
    program.line(before, "certificates have changed and are used");
    assert_eq!(shown(&[&new]).await, Some(new));
    assert_eq!(Client::new(&[&rest]).get(port, "localhost", "/").await.1, "the rest");
}

#[tokio::test]
async fn a_reload_keeps_connections_and_listeners() {
    let files = Files::new();
    let (a, b, rest) = two_sites(&files);
    let program = start(&files);
    let port = program.port("https");
    let client = Client::new(&[&a, &b, &rest]);
    let connection = client.connect(port, "a.example").await.unwrap();
    assert_eq!(connection.get("a.example", "/").await.unwrap().1, "site a");
    // Site a is from another directory now, and b is gone.
    files.write("new/index.html", "site a, anew");
    let config = format!(
        "listen = [\"127.0.0.1:0\", \"http://127.0.0.1:0\"]\n[[site]]\nhosts = [\"a.example\"]\nroot = \"new\"\n\
         cert = {:?}\nkey = \"a.key\"\n",
        text(&files.path("a.crt"))
    );
    files.write("x.toml", config);
    assert_eq!(program.reload(), "reloaded: 1 site");
    assert_eq!(connection.get("a.example", "/").await.unwrap().1, "site a, anew");
    assert_eq!(client.connect(port, "a.example").await.unwrap().get("b.example", "/").await.unwrap().0, 421);
    // A mistake changes nothing.
    files.write("x.toml", "[[site]]\nroot = \"gone\"\n");
    let before = program.count();
    assert_eq!(program.reload(), "headstart: not reloaded: the configuration from before is still served");
    program.line(before, "x.toml:2:8: site[1].root: cannot serve gone");
    assert_eq!(connection.get("a.example", "/").await.unwrap().1, "site a, anew");
    program.signal("TERM");
    let (status, printed) = program.wait();
    assert!(status.success(), "{printed}");
}

#[tokio::test]
async fn listeners_come_and_go() {
    let files = Files::new();
    files.write("s/index.html", "page");
    let cert = files.certify("a", "localhost");
    let site = "[[site]]\nroot = \"s\"\n[tls]\ncert = \"a.crt\"\nkey = \"a.key\"\n";
    files.write("x.toml", format!("listen = [\"127.0.0.1:0\"]\n{site}"));
    let program = start(&files);
    let port = program.port("https");
    let client = Client::new(&[&cert]);
    let open = client.connect(port, "localhost").await.unwrap();
    assert_eq!(open.get("localhost", "/").await.unwrap().1, "page");
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    // One more, the first as it was; then the first is gone.
    files.write("x.toml", format!("listen = [\"127.0.0.1:0\", \"{taken}\"]\n{site}"));
    let before = program.count();
    assert!(program.reload().contains("not reloaded"));
    program.line(before, "x.toml:1:26: listen[2].address: cannot listen on");
    drop(holder);
    assert_eq!(program.reload(), "reloaded: 1 site");
    assert_eq!(client.get(taken.port(), "localhost", "/").await.1, "page");
    assert_eq!(open.get("localhost", "/").await.unwrap().1, "page");
    files.write("x.toml", format!("listen = [\"{taken}\"]\n{site}"));
    assert_eq!(program.reload(), "reloaded: 1 site");
    assert_eq!(client.get(taken.port(), "localhost", "/").await.1, "page");
    for _ in 0..500 {
        if client.connect(port, "localhost").await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the listener that is gone still takes connections");
}

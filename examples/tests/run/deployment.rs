//! Where and how applications run.

use testkit::tls::{Certificate, believing};
use testkit::upstream::Upstream;
use testkit::{http1, tls, tools};

use crate::kit::{client, connect_tls, load, start, stylesheet, visit};

#[tokio::test]
async fn static_server() {
    let server = start("static_server", &[concat!(env!("CARGO_MANIFEST_DIR"), "/site"), "127.0.0.1:0"]);
    let port = server.port("http");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/site/index.html")).unwrap();
    let css = stylesheet(&page);
    for number in 1..=3 {
        let before = server.count();
        let pushed = visit(port, "/", &[css]).await.pushed;
        if number == 1 {
            assert!(pushed.is_empty());
            server.line(before, "nothing known");
        } else {
            assert!(pushed.contains(&css.to_owned()), "{pushed:?}");
            server.line(before, "pushed ");
        }
    }
}

/// The configuration is that of the example's first comment.
#[test]
fn behind_nginx() {
    if !tools::have(&["nginx"]) {
        return;
    }
    let server = start("behind_nginx", &["127.0.0.1:0"]);
    let port = server.port("http");
    let source = include_str!("../../behind_nginx.rs");
    let block = source.split("```").nth(1).unwrap().trim_start_matches("nginx");
    let block = block.replace("//!", "").replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
    let nginx = Upstream::nginx_with(&block);
    let address = format!("127.0.0.1:{}", nginx.port);
    let get = |path, client, fields: &[(&str, &str)]| {
        let fields = [&[("x-forwarded-for", client), ("user-agent", "Browser/1.0")], fields].concat();
        http1::get(&address, "shop.example", path, &fields)
    };
    let visit = |client| {
        let link = get("/", client, &[]).field("link").map(str::to_owned);
        get("/app.css", client, &[("referer", "http://shop.example/")]);
        // The visit is learned when its client leaves the page.
        get("/", client, &[]);
        link
    };
    let alone: Vec<_> = (0..3).map(|_| visit("192.0.2.1")).collect();
    assert_eq!(alone, [None, None, None], "nginx says that it is one client");
    visit("198.51.100.1");
    visit("203.0.113.1");
    assert_eq!(visit("192.0.2.200").as_deref(), Some("</app.css>; rel=preload; as=style"), "three networks need it");
}

#[tokio::test]
async fn two_listeners() {
    let server = start("two_listeners", &["127.0.0.1:0", "127.0.0.1:0"]);
    let (secure, plain) = (server.port("https"), server.port("http"));
    let redirected = http1::get(("127.0.0.1", plain), "localhost:80", "/a?b=c", &[]);
    let location = format!("https://localhost:{secure}/a?b=c");
    assert_eq!((redirected.status, redirected.field("location")), (308, Some(location.as_str())));
    let refused = http1::get(("127.0.0.1", plain), "not a host", "/", &[]);
    assert_eq!(refused.status, 400);
    let connection = connect_tls(secure, &believing(&["h2"])).await.unwrap();
    let page = client(connection, &format!("https://localhost:{secure}")).await.get("/").await;
    assert_eq!(page.text(), "<h1>Hello</h1>");
}

#[tokio::test]
async fn real_certificates() {
    let directory = tempfile::tempdir().unwrap();
    let first = Certificate::for_loopback(directory.path());
    let paths = [first.cert.to_str().unwrap(), first.key.to_str().unwrap(), "127.0.0.1:0"];
    let server = start("real_certificates", &paths);
    let port = server.port("https");
    let trusts = |certificate: &Certificate| tls::client(&[&certificate.der], &["h2"]);
    let open = connect_tls(port, &trusts(&first)).await.unwrap();

    let second = Certificate::for_loopback(directory.path());
    server.reload();
    connect_tls(port, &trusts(&second)).await.unwrap();
    assert!(connect_tls(port, &trusts(&first)).await.is_err(), "new connections get the new one");
    let page = client(open, &format!("https://localhost:{port}")).await.get("/").await;
    assert_eq!(page.status, 200, "connections that are open stay");

    std::fs::write(&second.key, "no key").unwrap();
    let before = server.count();
    server.signal("HUP");
    server.line(before, "is not used");
    connect_tls(port, &trusts(&second)).await.unwrap();
}

#[test]
fn graceful_shutdown() {
    let server = start("graceful_shutdown", &["127.0.0.1:0"]);
    let port = server.port("http");
    let slow = std::thread::spawn(move || http1::get(("127.0.0.1", port), "localhost", "/slow", &[]));
    server.line(0, "at work");
    let (status, printed) = server.stop();
    assert!(status.success() && printed.ends_with("stopped"), "{status} {printed}");
    let slow = slow.join().unwrap();
    assert_eq!((slow.status, slow.text().as_str()), (200, "done"), "what is under way is answered");
}

#[test]
fn state_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("learned.headstart");
    let server = start("state_on_disk", &[file.to_str().unwrap(), "127.0.0.1:0"]);
    let port = server.port("http");
    assert_eq!(http1::get(("127.0.0.1", port), "localhost", "/", &[]).text(), "<h1>Hello</h1>");
    server.signal("INT");
    let (status, printed) = server.wait();
    assert!(status.success() && printed.ends_with("saved"), "{status} {printed}");
    assert!(std::fs::read(&file).unwrap().starts_with(b"headstart"));
}

#[tokio::test]
async fn unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    // What a server that was killed left behind.
    std::fs::write(&path, "").unwrap();
    let server = start("unix_socket", &[path.to_str().unwrap()]);
    server.line(0, "app.sock");
    let mut client = client(tokio::net::UnixStream::connect(&path).await.unwrap(), "http://localhost").await;
    let page = client.send(http::Method::GET, "/", &[("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(page.text(), "<h1>Hello 192.0.2.1</h1>");
}

/// Visits at one server are known to the others.
#[tokio::test]
async fn fleet_of_three() {
    let directory = tempfile::tempdir().unwrap();
    let servers = start("fleet_of_three", &[directory.path().to_str().unwrap()]);
    let ports = ["web-1", "web-2", "web-3"].map(|name| {
        let line = servers.line(0, &format!("{name}: http://"));
        line.trim_end_matches('/').rsplit(':').next().unwrap().parse::<u16>().unwrap()
    });
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/site/index.html")).unwrap();
    let css = stylesheet(&page);
    // What is known is known of a site, by its name.
    let visit = async |port: u16, assets: &[&str]| {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        load(client(socket, "http://shop.example").await, "/", assets).await.pushed
    };
    assert!(visit(ports[0], &[css]).await.is_empty(), "nothing is known yet");
    for port in [ports[1], ports[2]] {
        let deadline = std::time::Instant::now() + testkit::PATIENCE;
        loop {
            // A look at the page is a visit, too, and one that does without the stylesheet.
            for _ in 0..3 {
                visit(ports[0], &[css]).await;
            }
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            if visit(port, &[]).await.contains(&css.to_owned()) {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{}", servers.printed());
        }
    }
}

//! The parts alone.

use serde_json::Value;
use testkit::http2::{Client, targets};
use tokio::net::TcpStream;

use crate::kit::{example, start, visit};

#[test]
fn codec_alone() {
    let output = example("codec_alone").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("cookie: "), "{text}");
    for line in ["/app.css: held", "/new.css: absent", "4 names after one more: "] {
        assert!(text.contains(line), "{text}");
    }
    let broken = text.lines().last().unwrap();
    assert!(broken.starts_with("a broken cookie: ") && broken.len() > 20, "{broken}");
}

#[test]
fn learner_alone() {
    let output = example("learner_alone").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let plan: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let paths: Vec<_> = plan.as_array().unwrap().iter().map(|asset| asset["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/app.css", "/app.js", "/text.woff2"], "in the order of need");
    assert_eq!(plan[2]["destination"], "font");
    assert!(!text.contains("/offer.webp"), "one network has seen it: {text}");
}

#[tokio::test]
async fn driver_alone() {
    let server = start("driver_alone", &["127.0.0.1:0"]);
    let port = server.port("http");
    assert_eq!(visit(port, "/", &[]).await.pushed, ["/app.css", "/app.js"]);
    server.line(0, "/app.js: Finished");

    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let settings = h2::client::Builder::new().enable_push(false).clone();
    let mut without = Client::handshake(socket, format!("http://127.0.0.1:{port}"), &settings).await.unwrap();
    let page = without.get("/").await;
    assert_eq!(targets(&page.hints[0]), ["/app.css", "/app.js"]);
    assert!(without.get("/app.css").await.hints.is_empty());
}

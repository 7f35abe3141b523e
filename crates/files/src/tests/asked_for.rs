//! Requests of visitors and applications that name no file.

use std::fs;
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::Site;
use crate::{Config, Pattern};

fn with_fields(fields: &[(&'static str, &'static str, &'static str)]) -> Config {
    let headers = fields.iter().map(|(path, name, value)| {
        let pattern: Pattern = path.parse().unwrap();
        (pattern, HeaderName::from_static(name), HeaderValue::from_static(value))
    });
    Config { headers: headers.collect(), ..Site::config_later() }
}

#[tokio::test]
async fn the_sites_own_fields_are_on_every_response() {
    let site = Site::with(with_fields(&[
        ("/**", "strict-transport-security", "max-age=1"),
        ("/**", "cache-control", "public"),
        ("/notes**", "x-notes", "1"),
    ]));
    let tag = site.get("/").await.header("etag").to_owned();
    for (method, path, fields, status) in [
        (Method::GET, "/", vec![], 200),
        (Method::GET, "/", vec![("if-none-match", &*tag)], 304),
        (Method::GET, "/digits.txt", vec![("range", "bytes=99-")], 416),
        (Method::GET, "/digits.txt", vec![("if-match", "\"0\"")], 412),
        (Method::GET, "/notes", vec![], 308),
        (Method::GET, "/none", vec![], 404),
        (Method::GET, "/%zz", vec![], 400),
        (Method::POST, "/", vec![], 405),
    ] {
        for _ in 0..2 {
            let answer = site.ask(method.clone(), path, &fields).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("strict-transport-security")),
                (status, "max-age=1"),
                "{path}"
            );
            let of_errors = status >= 400;
            assert_eq!(answer.header("cache-control") == "no-store", of_errors, "{path}");
        }
    }
    assert_eq!(site.get("/notes").await.header("x-notes"), "1");
    let same = site.ask(Method::GET, "/", &[("if-none-match", &tag)]).await;
    assert!(!same.headers.contains_key("content-type") && !same.headers.contains_key("content-length"));
}

#[tokio::test]
async fn a_preflight_is_answered_where_the_sites_fields_allow_it() {
    let asks = [("origin", "https://b.example"), ("access-control-request-method", "GET")];
    let fields = [
        ("/**", "access-control-allow-origin", "*"),
        ("/**", "access-control-allow-headers", "range"),
        ("/secret/**", "x-y", "z"),
    ];
    let site = Site::with(with_fields(&fields));
    let answer = site.ask(Method::OPTIONS, "/digits.txt", &asks).await;
    assert_eq!((answer.status, answer.header("access-control-allow-headers")), (StatusCode::NO_CONTENT, "range"));
    assert_eq!(answer.header("access-control-allow-methods"), "GET, HEAD");
    assert_eq!(site.ask(Method::OPTIONS, "/digits.txt", &asks[..1]).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(Site::new().ask(Method::OPTIONS, "/digits.txt", &asks).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_page_is_found_without_its_extension() {
    let site = Site::settled();
    fs::write(site.root().join("about.html"), "about").unwrap();
    fs::write(site.root().join("notes.html"), "not the directory").unwrap();
    for _ in 0..2 {
        let about = site.get("/about").await;
        assert_eq!((about.status, &about.body[..]), (StatusCode::OK, &b"about"[..]));
        assert_eq!(about.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(site.get("/notes").await.status, StatusCode::PERMANENT_REDIRECT);
        assert_eq!(site.get("/about/").await.status, StatusCode::NOT_FOUND);
    }
    fs::write(site.root().join("about"), "now a file").unwrap();
    assert_eq!(site.get("/about").await.body, "now a file");
}

#[tokio::test]
async fn a_route_with_a_dot_finds_the_fallback_for_a_navigation() {
    let site = Site::with(Config { fallback: Some("index.html".to_owned()), ..Site::config() });
    let page = [("sec-fetch-mode", "navigate"), ("accept", "text/html")];
    assert_eq!(site.ask(Method::GET, "/user/jane.doe", &page).await.status, StatusCode::OK);
    assert_eq!(site.ask(Method::GET, "/user/jane.doe", &page[1..]).await.status, StatusCode::OK);
    for script in [&[("sec-fetch-mode", "no-cors"), ("accept", "text/html")][..], &[]] {
        assert_eq!(site.ask(Method::GET, "/missing.js", script).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn siblings_count_for_every_type_and_not_when_they_are_older() {
    let site = Site::settled();
    let root = site.root();
    for name in ["model.glb", "data.bin", "photo.png", "none"] {
        fs::write(root.join(name), "plain").unwrap();
        fs::write(root.join(format!("{name}.gz")), "coded").unwrap();
        let coded = site.ask(Method::GET, &format!("/{name}"), &[("accept-encoding", "gzip")]).await;
        assert_eq!((&coded.body[..], coded.header("content-encoding")), (&b"coded"[..], "gzip"), "{name}");
        assert_eq!(coded.header("vary"), "accept-encoding");
        let plain = site.get(&format!("/{name}")).await;
        assert_eq!((&plain.body[..], plain.header("vary")), (&b"plain"[..], "accept-encoding"), "{name}");
    }
    let gz = fs::File::options().append(true).open(root.join("data.bin.gz")).unwrap();
    gz.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    let stale = site.ask(Method::GET, "/data.bin", &[("accept-encoding", "gzip")]).await;
    assert_eq!(stale.body, "plain", "the sibling is of an earlier build");
}

#[tokio::test]
async fn some_names_say_that_their_bytes_are_coded() {
    let site = Site::with(with_fields(&[("*.bundle", "content-encoding", "br")]));
    for (name, media_type, coding) in [
        ("a.svgz", "image/svg+xml", Some("gzip")),
        ("g.wasm.br", "application/wasm", Some("br")),
        ("g.data.gz", "application/octet-stream", Some("gzip")),
        ("x.bundle", "application/octet-stream", Some("br")),
        ("x.tar.gz", "application/gzip", None),
    ] {
        fs::write(site.root().join(name), "0123456789").unwrap();
        let answer = site.ask(Method::GET, &format!("/{name}"), &[("range", "bytes=0-1")]).await;
        assert_eq!(answer.header("content-type"), media_type, "{name}");
        let found = answer.headers.get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(found, coding, "{name}");
        assert_eq!(answer.body.len(), if coding.is_some() { 10 } else { 2 }, "{name}: parts are of plain content");
    }
}

#[tokio::test]
async fn a_document_in_another_encoding_is_not_said_to_be_utf_8() {
    let site = Site::settled();
    fs::write(site.root().join("old.html"), "<!doctype html><meta charset=iso-8859-1>caf\u{e9}").unwrap();
    fs::write(site.root().join("new.html"), "<!doctype html><meta charset=utf-8>").unwrap();
    assert_eq!(site.get("/old.html").await.header("content-type"), "text/html");
    assert_eq!(site.get("/new.html").await.header("content-type"), "text/html; charset=utf-8");
}

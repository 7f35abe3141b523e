//! Compressed forms: files beside the plain one, and what is compressed by us.

use std::fs;
use std::io::Read as _;

use http::{Method, StatusCode};

use super::{Answer, Site};
use crate::Config;

fn text() -> String {
    "a line of text that shrinks\n".repeat(200)
}

/// A site an hour old with a text of 5,600 bytes.
fn site() -> Site {
    let site = Site::settled();
    fs::write(site.root().join("app.js"), text()).unwrap();
    site
}

async fn get(site: &Site, path: &str, accept: &str) -> Answer {
    site.ask(Method::GET, path, &[("accept-encoding", accept)]).await
}

fn decode(answer: &Answer) -> String {
    let mut bytes = &answer.body[..];
    let mut out = String::new();
    let read = match answer.headers.get("content-encoding").map(|value| value.to_str().unwrap()) {
        None => bytes.read_to_string(&mut out),
        Some("br") => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut out),
        Some("gzip") => flate2::read::GzDecoder::new(bytes).read_to_string(&mut out),
        Some("zstd") => ruzstd::decoding::StreamingDecoder::new(bytes).unwrap().read_to_string(&mut out),
        Some(other) => panic!("{other}"),
    };
    assert_eq!(read.unwrap(), out.len());
    out
}

#[tokio::test]
async fn compressed_by_us() {
    let site = site();
    let plain = site.get("/app.js").await;
    assert_eq!((plain.body.len(), plain.header("vary")), (5600, "accept-encoding"));
    let mut tags = vec![plain.header("etag").to_owned()];
    for (accept, coding) in [("gzip, deflate, br, zstd", "br"), ("gzip;q=0.5, zstd", "zstd"), ("gzip", "gzip")] {
        for _ in 0..2 {
            let answer = get(&site, "/app.js", accept).await;
            assert_eq!((answer.header("content-encoding"), answer.header("vary")), (coding, "accept-encoding"));
            assert_eq!(decode(&answer), text());
            assert!(answer.body.len() < 600);
            assert_eq!(answer.header("content-length"), answer.body.len().to_string());
            assert!(!answer.headers.contains_key("accept-ranges"));
            assert_eq!(answer.header("content-type"), plain.header("content-type"));
            assert_eq!(answer.header("last-modified"), plain.header("last-modified"));
            tags.push(answer.header("etag").to_owned());
        }
        assert_eq!(tags.pop(), tags.last().cloned(), "the same form, the same tag");
        assert!(tags.last().unwrap().ends_with(&format!("-{coding}\"")));
        let head = site.ask(Method::HEAD, "/app.js", &[("accept-encoding", accept)]).await;
        assert_eq!(head.headers, get(&site, "/app.js", accept).await.headers);
    }
    tags.dedup();
    assert_eq!(tags.len(), 4);
    assert!(!get(&site, "/app.js", "identity, br;q=0").await.headers.contains_key("content-encoding"));
    assert!(!get(&site, "/app.js", "br;q=0.1, identity;q=0.5").await.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn what_is_not_compressed() {
    let site = site();
    fs::write(site.root().join("small.js"), "x".repeat(1023)).unwrap();
    fs::write(site.root().join("app.png"), text()).unwrap();
    let noise: Vec<u8> = (0..5000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).swap_bytes().to_be_bytes()).collect();
    fs::write(site.root().join("noise.js"), noise).unwrap();
    for (path, varies) in [("/small.js", false), ("/app.png", false), ("/noise.js", true)] {
        let answer = get(&site, path, "br, gzip").await;
        assert!(!answer.headers.contains_key("content-encoding"), "{path}");
        assert_eq!(answer.headers.contains_key("vary"), varies, "{path}");
    }
    // Fresh files are not, nor is anything if the operator says so.
    let fresh = Site::new();
    fs::write(fresh.root().join("app.js"), text()).unwrap();
    assert_eq!(get(&fresh, "/app.js", "br").await.body, text());
    let never = Site::with(Config { compress: None, ..Site::config_later() });
    fs::write(never.root().join("app.js"), text()).unwrap();
    let answer = get(&never, "/app.js", "br").await;
    assert_eq!((answer.body, answer.headers.get("vary")), (text().into(), None));
}

#[tokio::test]
async fn files_beside_the_plain_one() {
    let site = site();
    let gzip = |text: &str| {
        let mut out = Vec::new();
        flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::best()).read_to_end(&mut out).unwrap();
        out
    };
    fs::write(site.root().join("app.js.gz"), gzip("beside")).unwrap();
    let beside = get(&site, "/app.js", "gzip").await;
    assert_eq!((decode(&beside), beside.header("vary")), ("beside".to_owned(), "accept-encoding"));
    assert_eq!(beside.header("content-type"), "text/javascript; charset=utf-8");
    // The other codings are made as ever; the plain one stays plain.
    assert_eq!(decode(&get(&site, "/app.js", "br").await), text());
    assert_eq!(site.get("/app.js").await.body, text());
    // A change of the file beside it shows, and so does its end.
    fs::write(site.root().join("app.js.gz"), gzip("changed")).unwrap();
    let changed = get(&site, "/app.js", "gzip").await;
    assert_eq!(decode(&changed), "changed");
    assert_ne!(beside.header("etag"), changed.header("etag"));
    fs::remove_file(site.root().join("app.js.gz")).unwrap();
    assert_eq!(decode(&get(&site, "/app.js", "gzip").await), text());
    // It came where none was.
    fs::write(site.root().join("app.js.br"), "no brotli").unwrap();
    assert_eq!(get(&site, "/app.js", "br").await.body, "no brotli");
    // By its own name it is a file like any other.
    assert!(!get(&site, "/app.js.br", "br").await.headers.contains_key("content-encoding"));
    let off = Site::with(Config { precompressed: false, compress: None, ..Site::config_later() });
    fs::write(off.root().join("app.js"), text()).unwrap();
    fs::write(off.root().join("app.js.br"), "x").unwrap();
    assert_eq!(get(&off, "/app.js", "br").await.body, text());
}

#[cfg(unix)]
#[tokio::test]
async fn what_lies_beside_may_lead_out_no_more_than_others() {
    let site = site();
    fs::write(site.root().join("../canary"), "canary").unwrap();
    std::os::unix::fs::symlink("../canary", site.root().join("app.js.br")).unwrap();
    assert_eq!(decode(&get(&site, "/app.js", "br").await), text());
}

#[tokio::test]
async fn large_files_are_not_compressed_but_may_have_files_beside_them() {
    let site = Site::settled();
    fs::write(site.root().join("large.json"), "1".repeat(200_000)).unwrap();
    let plain = get(&site, "/large.json", "br").await;
    assert_eq!((plain.body.len(), plain.headers.get("vary")), (200_000, None));
    fs::write(site.root().join("large.json.br"), "b".repeat(150_000)).unwrap();
    let beside = get(&site, "/large.json", "br").await;
    assert_eq!((beside.header("content-encoding"), beside.body.len()), ("br", 150_000));
    assert_eq!(get(&site, "/large.json", "gzip").await.body.len(), 200_000);
}

#[tokio::test]
async fn conditions_are_about_the_form() {
    let site = site();
    let tag = get(&site, "/app.js", "br").await.header("etag").to_owned();
    let ask = async |fields: &[(&str, &str)]| site.ask(Method::GET, "/app.js", fields).await;
    let same = ask(&[("accept-encoding", "br"), ("if-none-match", &tag)]).await;
    assert_eq!((same.status, same.header("etag")), (StatusCode::NOT_MODIFIED, &*tag));
    assert_eq!(same.header("vary"), "accept-encoding");
    assert_eq!(ask(&[("accept-encoding", "gzip"), ("if-none-match", &tag)]).await.status, StatusCode::OK);
    assert_eq!(ask(&[("if-none-match", &tag)]).await.status, StatusCode::OK);
    assert_eq!(ask(&[("accept-encoding", "br"), ("if-match", &tag)]).await.status, StatusCode::OK);
    assert_eq!(ask(&[("if-match", &tag)]).await.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn ranges_are_of_the_plain_content() {
    let site = site();
    let br = get(&site, "/app.js", "br").await.header("etag").to_owned();
    let ask = async |fields: &[(&str, &str)]| site.ask(Method::GET, "/app.js", fields).await;
    let part = ask(&[("accept-encoding", "br"), ("range", "bytes=0-5")]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"a line"[..]));
    assert_eq!(part.header("vary"), "accept-encoding");
    assert!(!part.headers.contains_key("content-encoding"));
    // The client has a part of the compressed form, so it gets all of it.
    let whole = ask(&[("accept-encoding", "br"), ("range", "bytes=0-5"), ("if-range", &br)]).await;
    assert_eq!((whole.status, whole.body.len()), (StatusCode::OK, 5600));
    // Ranges are not for HEAD, so nor is their exception.
    let head = site.ask(Method::HEAD, "/app.js", &[("accept-encoding", "br"), ("range", "bytes=0-5")]).await;
    assert_eq!(head.header("content-encoding"), "br");
}

#[tokio::test]
async fn all_at_once() {
    let site = site();
    let asked: Vec<_> = (0..64)
        .map(|n| {
            let service = site.service.clone();
            tokio::spawn(async move {
                let accept = ["br", "gzip", "zstd"][n % 3];
                Site::ask_service(service, Method::GET, "/app.js", &[("accept-encoding", accept)]).await
            })
        })
        .collect();
    for answer in asked {
        assert_eq!(decode(&answer.await.unwrap()), text());
    }
    assert_eq!(get(&site, "/app.js", "br").await.header("content-encoding"), "br");
}

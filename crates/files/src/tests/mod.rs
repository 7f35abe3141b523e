//! The service as a whole, asked the way a connection asks it.

mod asked_for;
mod descriptors;
mod forms;
mod hostile;
mod options;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tower_service::Service as _;

use super::{Config, StaticFiles};

/// A small site, and a service over it that streams files of more than 100,000 bytes.
struct Site {
    /// Holds the site, and beside it what must not be served.
    directory: TempDir,
    service: StaticFiles,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

const PAGE: &str = "<!doctype html><title>Page</title>";
const LARGE: usize = 300_000;

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = &directory.path().join("site");
        fs::create_dir_all(root.join("notes/sub")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        fs::create_dir_all(root.join(".well-known")).unwrap();
        fs::create_dir_all(root.join("assets")).unwrap();
        fs::write(root.join("index.html"), PAGE).unwrap();
        fs::write(root.join("notes/index.html"), "notes").unwrap();
        fs::write(root.join("404.html"), "nothing here").unwrap();
        fs::write(root.join(".env"), "secret").unwrap();
        fs::write(root.join(".git/config"), "secret").unwrap();
        fs::write(root.join(".well-known/security.txt"), "contact").unwrap();
        fs::write(root.join("assets/app.3f2a91c4.css"), "body{}").unwrap();
        fs::write(root.join("digits.txt"), "0123456789").unwrap();
        fs::write(root.join("empty.txt"), "").unwrap();
        fs::write(root.join("large.bin"), large()).unwrap();
        let service = StaticFiles::new(root, Self::config()).unwrap();
        Self { directory, service }
    }

    /// A change on disk shows at once.
    fn config() -> Config {
        Config { max_memory: 1 << 20, max_file: 100_000, revalidate: Duration::ZERO, ..Config::default() }
    }

    /// The same an hour later, when every file is old enough to be kept in memory.
    fn config_later() -> Config {
        Config { now: || SystemTime::now() + Duration::from_secs(3600), ..Self::config() }
    }

    fn with(config: Config) -> Self {
        let site = Self::new();
        let service = StaticFiles::new(&site.root(), config).unwrap();
        Self { service, ..site }
    }

    fn settled() -> Self {
        Self::with(Self::config_later())
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("site")
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        Self::ask_service(self.service.clone(), method, path, headers).await
    }

    async fn ask_service(mut service: StaticFiles, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().version(Version::HTTP_2).method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = service.call(request.body(()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let promised = body.size_hint().exact().expect("every length is known");
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(promised, body.len() as u64, "{path}");
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }
}

impl Answer {
    #[track_caller]
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers)).to_str().unwrap()
    }
}

fn large() -> Vec<u8> {
    (0..LARGE).map(|n| (n % 251) as u8).collect()
}

#[tokio::test]
async fn a_page() {
    let site = Site::new();
    let answer = site.get("/").await;
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, PAGE.as_bytes()));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("content-length"), PAGE.len().to_string());
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("etag").starts_with('"'));
    assert!(answer.header("last-modified").ends_with(" GMT"));
    assert_eq!(site.get("/index.html?query=ignored").await.body, PAGE);
    assert_eq!(site.get("/notes/").await.body, "notes");
    assert_eq!(site.get("/.well-known/security.txt").await.body, "contact");
    assert_eq!(site.get("/empty.txt").await.header("content-length"), "0");
    let asset = site.get("/assets/app.3f2a91c4.css").await;
    assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(site.get("/digits.txt").await.header("cache-control"), "public, max-age=10, must-revalidate");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let site = Site::new();
    for path in ["/", "/large.bin", "/none", "/notes", "/a%00"] {
        let get = site.get(path).await;
        let head = site.ask(Method::HEAD, path, &[]).await;
        assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{path}");
        assert!(head.body.is_empty(), "{path}");
    }
    let range = site.ask(Method::HEAD, "/digits.txt", &[("range", "bytes=0-1")]).await;
    assert_eq!((range.status, range.header("content-length")), (StatusCode::OK, "10"));
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let site = Site::new();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let answer = site.ask(method.parse().unwrap(), "/", &[]).await;
        assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"), "{method}");
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let site = Site::new();
    for path in [
        "/none",
        "/notes/none",
        "/notes/sub/",
        "/index.html/",
        "/index.html/x",
        "//",
        "//notes",
        "/.env",
        "/.git/config",
        "/%ff",
    ] {
        let answer = site.get(path).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::NOT_FOUND, &b"nothing here"[..]), "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(!answer.headers.contains_key("etag"));
    }
    let long = format!("/{}", "a".repeat(5000));
    assert_eq!(site.get(&long).await.status, StatusCode::NOT_FOUND);
    fs::remove_file(site.root().join("404.html")).unwrap();
    assert_eq!(site.get("/none").await.body, "404 Not Found\n");
}

#[tokio::test]
async fn a_directory_gets_its_slash() {
    let site = Site::new();
    for (path, location) in [("/notes", "/notes/"), ("/notes/sub?a=b", "/notes/sub/?a=b"), ("/%6eotes", "/%6eotes/")] {
        let answer = site.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::PERMANENT_REDIRECT, location));
    }
}

#[tokio::test]
async fn a_changed_file_is_another_file_at_once() {
    let site = Site::new();
    let path = site.root().join("digits.txt");
    let mut tags = std::collections::HashSet::new();
    // The same length each time, and faster than the clock of the file system ticks.
    for n in 0..50 {
        fs::write(&path, format!("{n:010}")).unwrap();
        let answer = site.get("/digits.txt").await;
        assert_eq!(answer.body, format!("{n:010}"));
        assert!(tags.insert(answer.header("etag").to_owned()));
    }
    // The same once the file is kept in memory; the length differs, for clocks that tick slowly.
    let site = Site::settled();
    let path = site.root().join("digits.txt");
    for n in 0..20 {
        let before = site.get("/digits.txt").await;
        fs::write(&path, "x".repeat(n)).unwrap();
        let after = site.get("/digits.txt").await;
        assert_eq!(after.body, "x".repeat(n));
        assert_ne!(before.header("etag"), after.header("etag"));
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(site.get("/digits.txt").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_in_memory_is_answered_at_once() {
    let site = Site::settled();
    for path in ["/", "/.env"] {
        site.get(path).await;
        let mut answer = tokio::task::unconstrained(
            site.service.clone().call(Request::builder().version(Version::HTTP_2).uri(path).body(()).unwrap()),
        );
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::Pin::new(&mut answer).poll(&mut context).is_ready(), "{path}");
    }
}

#[tokio::test]
async fn conditions() {
    let site = Site::new();
    for path in ["/digits.txt", "/large.bin"] {
        let plain = site.get(path).await;
        let tag = plain.header("etag");
        let date = plain.header("last-modified");
        let not_modified = site.ask(Method::GET, path, &[("if-none-match", tag), ("range", "bytes=0-1")]).await;
        assert_eq!(not_modified.status, StatusCode::NOT_MODIFIED);
        assert!(not_modified.body.is_empty());
        assert_eq!(not_modified.header("etag"), tag);
        assert_eq!(not_modified.header("cache-control"), plain.header("cache-control"));
        assert!(!not_modified.headers.contains_key("content-length"));
        let check = async |headers: &[(&str, &str)], status| {
            let asked = site.ask(Method::GET, path, headers).await;
            assert_eq!(asked.status, status, "{path} {headers:?}");
        };
        check(&[("if-modified-since", date)], StatusCode::NOT_MODIFIED).await;
        check(&[("if-none-match", "\"other\"")], StatusCode::OK).await;
        check(&[("if-match", "\"other\"")], StatusCode::PRECONDITION_FAILED).await;
        check(&[("if-match", "*")], StatusCode::OK).await;
        check(&[("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")], StatusCode::PRECONDITION_FAILED).await;
        check(&[("range", "bytes=0-1"), ("if-range", "\"other\"")], StatusCode::OK).await;
    }
    let tag = site.get("/digits.txt").await.header("etag").to_owned();
    let part = site.ask(Method::GET, "/digits.txt", &[("range", "bytes=0-1"), ("if-range", &tag)]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"01"[..]));
}

#[tokio::test]
async fn one_range() {
    let site = Site::new();
    let part = site.ask(Method::GET, "/digits.txt", &[("range", "bytes=2-5")]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"2345"[..]));
    assert_eq!(part.header("content-range"), "bytes 2-5/10");
    assert_eq!(part.header("content-length"), "4");
    assert_eq!(part.header("content-type"), "text/plain; charset=utf-8");
    let none = site.ask(Method::GET, "/digits.txt", &[("range", "bytes=10-")]).await;
    assert_eq!((none.status, none.header("content-range")), (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */10"));
    let twice = site.ask(Method::GET, "/digits.txt", &[("range", "bytes=0-1"), ("range", "bytes=2-3")]).await;
    assert_eq!(twice.status, StatusCode::OK);
}

#[tokio::test]
async fn several_ranges() {
    let site = Site::new();
    for (path, content) in [("/digits.txt", b"0123456789".to_vec()), ("/large.bin", large())] {
        let answer = site.ask(Method::GET, path, &[("range", "bytes=1-2,-3")]).await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
        let boundary = answer.header("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
        let len = content.len();
        let inner = site.get(path).await.header("content-type").to_owned();
        let mut expected = Vec::new();
        for (first, last) in [(1, 2), (len - 3, len - 1)] {
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {inner}\r\nContent-Range: bytes {first}-{last}/{len}\r\n\r\n"
            );
            expected.extend(head.into_bytes());
            expected.extend(&content[first..=last]);
        }
        expected.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
        assert_eq!(answer.body, expected);
        assert_eq!(answer.header("content-length"), expected.len().to_string());
        assert!(!answer.headers.contains_key("content-range"));
    }
}

#[tokio::test]
async fn large_files_are_streamed() {
    let site = Site::new();
    let whole = site.get("/large.bin").await;
    assert_eq!(whole.body, large());
    assert_eq!(whole.header("content-length"), LARGE.to_string());
    let part = site.ask(Method::GET, "/large.bin", &[("range", "bytes=65000-200000")]).await;
    assert_eq!(part.body, large()[65000..=200_000]);
    assert!(whole.header("etag").starts_with("W/"));
    let site = Site::settled();
    let settled = site.get("/large.bin").await;
    assert!(settled.header("etag").starts_with('"'));
    let conditional = [("range", "bytes=0-1"), ("if-range", settled.header("etag"))];
    assert_eq!(site.ask(Method::GET, "/large.bin", &conditional).await.status, StatusCode::PARTIAL_CONTENT);
}

#[tokio::test]
async fn a_file_that_shrinks_under_way_ends_in_an_error() {
    let site = Site::new();
    let request = Request::builder().version(Version::HTTP_2).uri("/large.bin").body(()).unwrap();
    let mut body = site.service.clone().call(request).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    fs::File::options().write(true).open(site.root().join("large.bin")).unwrap().set_len(70_000).unwrap();
    let mut received = first.len();
    let error = loop {
        match body.frame().await {
            Some(Ok(frame)) => received += frame.into_data().unwrap().len(),
            Some(Err(error)) => break error,
            None => panic!("ended after {received} bytes as if it were whole"),
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(body.frame().await.is_none());
}

#[test]
fn what_cannot_be_served() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(StaticFiles::new(&directory.path().join("none"), Config::default()).is_err());
    assert!(StaticFiles::new(&file, Config::default()).is_err());
}

/// However many ask for a large file that is not in memory yet, it is read once, and they share it.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_read_into_memory_once() {
    let later = Config { max_memory: 8 << 20, max_file: 4 << 20, ..Site::config_later() };
    let site = Site::with(later);
    let content: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 3) as u8).collect();
    fs::write(site.root().join("big.bin"), &content).unwrap();
    let ask = || {
        let mut service = site.service.clone();
        tokio::spawn(async move {
            let request = Request::builder().version(Version::HTTP_2).uri("/big.bin").body(()).unwrap();
            service.call(request).await.unwrap().into_body().frame().await.unwrap().unwrap().into_data().unwrap()
        })
    };
    let asked: Vec<_> = (0..32).map(|_| ask()).collect();
    let mut copies = std::collections::HashSet::new();
    for answer in asked {
        let whole = answer.await.unwrap();
        assert!(whole == content);
        copies.insert(whole.as_ptr() as usize);
        // Kept, so that no other copy takes its place.
        std::mem::forget(whole);
    }
    assert_eq!(copies.len(), 1);
}

/// A file that may be changing is kept for nobody else: a large one is streamed, with a tag that promises less.
#[tokio::test]
async fn a_large_file_that_is_fresh_is_streamed() {
    let site = Site::with(Config { max_memory: 8 << 20, max_file: 4 << 20, ..Site::config() });
    let content = vec![b'x'; 1_000_000];
    fs::write(site.root().join("big.bin"), &content).unwrap();
    let request = Request::builder().version(Version::HTTP_2).uri("/big.bin").body(()).unwrap();
    let mut body = site.service.clone().call(request).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.len() <= 64 << 10, "{}", first.len());
    let answer = site.get("/big.bin").await;
    assert!(answer.body == content && answer.header("etag").starts_with("W/"));
    assert!(site.get("/digits.txt").await.header("etag").starts_with('"'), "small ones are read whole");
}

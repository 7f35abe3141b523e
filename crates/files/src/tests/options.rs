//! The settings of an operator.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::{PAGE, Site};
use crate::{Config, Dotfiles, Pattern, Symlinks};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

/// Seconds by which the clock of one test is ahead.
static AHEAD: AtomicU64 = AtomicU64::new(3600);

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(AHEAD.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_change_shows_after_the_time_of_grace() {
    let minute = Duration::from_secs(60);
    let site = Site::with(Config { revalidate: minute, now: later, ..Site::config_later() });
    let path = site.root().join("digits.txt");
    assert_eq!(site.get("/digits.txt").await.body, "0123456789");
    fs::write(&path, "changed").unwrap();
    assert_eq!(site.get("/digits.txt").await.body, "0123456789");
    AHEAD.store(3660, Ordering::Relaxed);
    assert_eq!(site.get("/digits.txt").await.body, "changed");
    // The clock was set back: the disk is asked.
    fs::write(&path, "again").unwrap();
    AHEAD.store(0, Ordering::Relaxed);
    assert_eq!(site.get("/digits.txt").await.body, "again");
}

#[tokio::test]
async fn index_files_in_their_order() {
    let site = Site::with(Config { index: vec!["a.html".into(), "index.html".into()], ..Site::config_later() });
    assert_eq!(site.get("/notes/").await.body, "notes");
    assert_eq!(site.get("/notes/").await.body, "notes");
    // One that comes before it appears, and goes.
    fs::write(site.root().join("notes/a.html"), "first").unwrap();
    assert_eq!(site.get("/notes/").await.body, "first");
    fs::remove_file(site.root().join("notes/a.html")).unwrap();
    assert_eq!(site.get("/notes/").await.body, "notes");
    // A directory of that name is none.
    fs::create_dir(site.root().join("notes/a.html")).unwrap();
    assert_eq!(site.get("/notes/").await.body, "notes");
    fs::remove_file(site.root().join("notes/index.html")).unwrap();
    assert_eq!(site.get("/notes/").await.status, StatusCode::NOT_FOUND);
    let none = Site::with(Config { index: Vec::new(), ..Site::config_later() });
    assert_eq!(none.get("/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(none.get("/index.html").await.body, PAGE);
}

#[tokio::test]
async fn a_single_page_application() {
    let site = Site::with(Config { fallback: Some("index.html".into()), ..Site::config_later() });
    for path in ["/users/7", "/users/7/", "/none?x=1"] {
        let answer = site.get(path).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, PAGE.as_bytes()), "{path}");
        assert_eq!(answer.header("cache-control"), "private, no-cache");
    }
    // A missing asset is missing, what may not be asked for is not answered, and what is there is there.
    assert_eq!(site.get("/none.js").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/.git/config").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/a/../b").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.get("/notes/").await.body, "notes");
    assert_eq!(site.get("/notes").await.status, StatusCode::PERMANENT_REDIRECT);
    fs::remove_file(site.root().join("index.html")).unwrap();
    assert_eq!(site.get("/users/7").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn error_pages() {
    let pages = [(StatusCode::NOT_FOUND, "404.html"), (StatusCode::METHOD_NOT_ALLOWED, "405.txt")];
    let pages = pages.map(|(status, name)| (status, name.to_owned()));
    let site = Site::with(Config { error_pages: BTreeMap::from(pages), ..Site::config_later() });
    fs::write(site.root().join("405.txt"), "only reading").unwrap();
    let refused = site.ask(Method::POST, "/", &[]).await;
    assert_eq!((refused.status, &refused.body[..]), (StatusCode::METHOD_NOT_ALLOWED, &b"only reading"[..]));
    assert_eq!((refused.header("allow"), refused.header("cache-control")), ("GET, HEAD", "no-store"));
    assert_eq!(site.get("/%00").await.body, "400 Bad Request\n");
    for path in ["/none", "/.env"] {
        let answer = site.ask(Method::GET, path, &[("range", "bytes=0-1"), ("if-none-match", "*")]).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::NOT_FOUND, &b"nothing here"[..]));
        assert!(!answer.headers.contains_key("etag") && !answer.headers.contains_key("accept-ranges"));
    }
}

#[tokio::test]
async fn headers_and_types_by_rule() {
    let name = |name: &'static str| HeaderName::from_static(name);
    let site = Site::with(Config {
        cache_control: vec![
            (pattern("/assets/**"), value("public, max-age=60")),
            (pattern("*.css"), value("no-store")),
            (pattern("notes/*"), value("public, max-age=1")),
        ],
        headers: vec![
            (pattern("*"), name("x-frame-options"), value("DENY")),
            (pattern("*.html"), name("x-frame-options"), value("SAMEORIGIN")),
            (pattern("*.html"), name("content-length"), value("7")),
            (pattern("*.txt"), name("x-content-type-options"), value("own")),
        ],
        media_types: BTreeMap::from([("txt".to_owned(), value("text/x-own"))]),
        ..Site::config_later()
    });
    let css = site.get("/assets/app.3f2a91c4.css").await;
    assert_eq!((css.header("cache-control"), css.header("x-frame-options")), ("public, max-age=60", "DENY"));
    let notes = site.get("/notes/").await;
    assert_eq!((notes.header("cache-control"), notes.header("x-frame-options")), ("public, max-age=1", "SAMEORIGIN"));
    assert_eq!(notes.header("content-length"), "5");
    let txt = site.get("/digits.txt").await;
    assert_eq!((txt.header("content-type"), txt.header("x-content-type-options")), ("text/x-own", "own"));
    assert_eq!(site.get("/none").await.header("x-frame-options"), "SAMEORIGIN");
}

#[cfg(unix)]
#[tokio::test]
async fn links_by_policy() {
    use std::os::unix::fs::symlink;
    for (symlinks, inside, outside) in
        [(Symlinks::Deny, false, false), (Symlinks::Within, true, false), (Symlinks::Follow, true, true)]
    {
        let site = Site::with(Config { symlinks, ..Site::config_later() });
        fs::write(site.root().join("../other"), "other").unwrap();
        symlink("digits.txt", site.root().join("inside")).unwrap();
        symlink("notes", site.root().join("directory")).unwrap();
        symlink("../other", site.root().join("outside")).unwrap();
        symlink("/dev/zero", site.root().join("device")).unwrap();
        // Twice: what is in memory follows the same rule.
        for _ in 0..2 {
            for (path, served) in [
                ("/digits.txt", true),
                ("/inside", inside),
                ("/directory/", inside),
                ("/outside", outside),
                ("/device", false),
            ] {
                let status = site.get(path).await.status;
                assert_eq!(status, if served { StatusCode::OK } else { StatusCode::NOT_FOUND }, "{symlinks:?} {path}");
            }
        }
    }
}

#[tokio::test]
async fn dotfiles_by_policy() {
    for (dotfiles, hidden, well_known) in
        [(Dotfiles::Deny, false, false), (Dotfiles::WellKnown, false, true), (Dotfiles::Serve, true, true)]
    {
        let site = Site::with(Config { dotfiles, ..Site::config_later() });
        for (path, served) in [("/.env", hidden), ("/.git/config", hidden), ("/.well-known/security.txt", well_known)] {
            assert_eq!(site.get(path).await.status.is_success(), served, "{dotfiles:?} {path}");
        }
        assert!(!site.get("/.git/../.env").await.status.is_success());
    }
}

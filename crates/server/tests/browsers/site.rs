//! The application behind the program: a page for each way, its assets, and a place for reports.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};
use testkit::app::{Request, Response};

use super::ways::{Content, Document, Way};

const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"r\" width=\"9\" height=\"9\"><rect width=\"9\" height=\"9\"/></svg>";

/// A page without assets, by its path without the slash.
pub(crate) const BLANK: &str = "blank";
const TAG: &str = "\"page\"";

/// A page that goes one way.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) way: &'static Way,
    /// Whether its assets are fresh for an hour; if not, they are asked for again at each use.
    pub(crate) fresh: bool,
    /// Its path without slashes.
    pub(crate) dir: String,
}

impl Page {
    pub(crate) fn new(way: &'static Way, fresh: bool) -> Self {
        let slug: String = way.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let dir = format!("{}-{}", slug.to_ascii_lowercase(), if fresh { "fresh" } else { "asked" });
        Self { way, fresh, dir }
    }

    pub(crate) fn path(&self) -> String {
        format!("/{}/", self.dir)
    }

    /// Fills in what a text of the way leaves open.
    fn fill(&self, text: &str, nonce: u64) -> String {
        let mut text = text.replace("{dir}", &self.dir).replace("{nonce}", &format!("{nonce:032x}"));
        for (name, content) in self.way.assets {
            let integrity = format!("sha256-{}", BASE64.encode(&Sha256::digest(bytes(*content))));
            text = text.replace(&["{sri:", name, "}"].concat(), &integrity);
        }
        text
    }
}

/// What the application was told of broken policies: directory and report.
pub(crate) type Reports = Arc<Mutex<Vec<(String, String)>>>;

/// The application: pages, assets, reports.
pub(crate) fn answer(pages: Vec<Page>, reports: Reports) -> impl Fn(&Request) -> Response + Send + Sync + 'static {
    let nonces = AtomicU64::new(1);
    move |request| {
        let (_, path) = request.target.split_once('/').unwrap_or_default();
        if let Some(dir) = path.strip_prefix("report/") {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            reports.lock().expect("no panic under the lock").push((dir.to_owned(), text));
            return Response { status: 204, ..Response::default() };
        }
        if path == BLANK {
            let fields = vec![field("content-type", "text/html"), field("cache-control", "max-age=3600")];
            return Response { status: 200, fields, body: b"<!doctype html><title>blank</title>".to_vec() };
        }
        let (dir, rest) = path.split_once('/').unwrap_or((path, ""));
        let Some(page) = pages.iter().find(|page| page.dir == dir) else { return missing() };
        if rest.is_empty() {
            return document(page, nonces.fetch_add(1, Ordering::Relaxed), request);
        }
        if rest == "login" {
            let cookie = format!("user=1; Path={}", page.path());
            return redirect(&page.path(), vec![field("set-cookie", &cookie)]);
        }
        let asset = page.way.assets.iter().find(|(name, _)| *name == rest);
        asset.map_or_else(missing, |(name, content)| self::asset(page, name, *content, request))
    }
}

fn document(page: &Page, nonce: u64, request: &Request) -> Response {
    let mut fields = vec![field("content-type", "text/html; charset=utf-8")];
    let mut html = page.way.html;
    let mut caching = "no-cache";
    match page.way.document {
        Document::Form(posted) if request.method == "POST" => html = posted,
        Document::Form(_) | Document::Plain => {}
        Document::Tagged => {
            fields.push(field("etag", TAG));
            if request.field("if-none-match") == Some(TAG) {
                return Response { status: 304, fields, body: Vec::new() };
            }
        }
        Document::ForUsers => {
            caching = "private, no-cache";
            if !request.field("cookie").is_some_and(|cookies| cookies.contains("user=1")) {
                return redirect(&format!("{}login", page.path()), vec![field("cache-control", caching)]);
            }
        }
    }
    if page.way.head.iter().all(|(name, _)| *name != "cache-control") {
        fields.push(field("cache-control", caching));
    }
    fields.extend(page.way.head.iter().map(|(name, value)| field(name, &page.fill(value, nonce))));
    let html = format!("<!doctype html><title>{}</title>{}\n", page.way.name, page.fill(html, nonce));
    Response { status: 200, fields, body: html.into_bytes() }
}

fn redirect(to: &str, mut fields: Vec<(String, String)>) -> Response {
    fields.push(field("location", to));
    Response { status: 303, fields, body: Vec::new() }
}

fn asset(page: &Page, name: &str, content: Content, request: &Request) -> Response {
    let etag = format!("\"{}-{name}\"", page.dir);
    let media = match content {
        Content::Css(_) => "text/css",
        Content::Font => "font/woff2",
        Content::Js(_) => "text/javascript",
        Content::Svg => "image/svg+xml",
    };
    let mut fields = vec![field("content-type", media), field("etag", &etag)];
    if page.way.fields.is_empty() {
        fields.push(field("cache-control", if page.fresh { "max-age=3600" } else { "no-cache" }));
    }
    fields.extend(page.way.fields.iter().map(|(name, value)| field(name, value)));
    if request.field("if-none-match") == Some(&etag) {
        return Response { status: 304, fields, body: Vec::new() };
    }
    Response { status: 200, fields, body: bytes(content).to_vec() }
}

fn bytes(content: Content) -> &'static [u8] {
    match content {
        Content::Css(text) | Content::Js(text) => text.as_bytes(),
        // A real one: browsers look into it.
        Content::Font => include_bytes!("../../../../examples/site/assets/kestrel.700edea8.woff2"),
        Content::Svg => SVG.as_bytes(),
    }
}

fn missing() -> Response {
    Response { status: 404, fields: vec![field("content-type", "text/plain")], body: b"not found".to_vec() }
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

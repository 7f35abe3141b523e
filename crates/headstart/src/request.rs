//! Kinds of requests by their heads: a navigation, an asset, or neither.

use headstart_learn::Destination;
use headstart_policy::{Priority, PriorityParameters};
use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Method, Uri};

/// Request fields that are copied into a promise: those that select a response and do not identify the client.
const PROMISED_FIELDS: [HeaderName; 3] = [header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::USER_AGENT];

const PRIORITY: HeaderName = HeaderName::from_static("priority");
const X_MOZ: HeaderName = HeaderName::from_static("x-moz");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Longest path with query that is looked at, bytes; beyond, a request is neither page nor asset.
const MAX_PATH_BYTES: usize = 512;

/// The role of a request for the learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Asks for a document to show.
    Navigation(Navigation),
    /// May ask for an asset; its response decides.
    Asset,
    /// Asks for a document with a method that may change something, as forms do.
    Submission,
    /// Neither is learned from nor helped: not GET, partial, conditional navigation, with credentials, prefetch,
    /// `fetch()`, an embedded document.
    Other,
}

/// A request for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Navigation {
    /// A browser says so (`Sec-Fetch-Mode: navigate`): it acts on 103 and `Link`.
    pub(crate) browser: bool,
    /// The client holds the page and asks whether it has changed: the answer may be 304.
    pub(crate) conditional: bool,
}

/// Classifies by Fetch metadata (W3C Fetch Metadata Request Headers) where it is sent, else by `Accept`, the path
/// and the `Referer`. `known` tells whether the path is a page already.
pub(crate) fn classify(head: &Parts, known: impl FnOnce() -> bool) -> Kind {
    let headers = &head.headers;
    let path = head.uri.path();
    let path_bytes = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if path_bytes > MAX_PATH_BYTES {
        return Kind::Other;
    }
    if head.method != Method::GET {
        return if is_submission(head) { Kind::Submission } else { Kind::Other };
    }
    let Some(Told { mode, destination, site, accept, refers }) = Told::of(headers) else {
        return Kind::Other;
    };
    let navigation = |browser| {
        let conditional = is_conditional(headers);
        // Who says nothing of fetch metadata may be a cache that revalidates what it holds.
        if conditional && !(browser && is_revalidation(headers)) {
            return Kind::Other;
        }
        Kind::Navigation(Navigation { browser, conditional })
    };
    if let Some(mode) = mode {
        return match (mode, destination) {
            (b"navigate", "document" | "") => navigation(true),
            (b"navigate", _) => Kind::Other,
            _ if matches!(site, "cross-site" | "same-site") => Kind::Other,
            _ if Destination::from_name(destination).is_some_and(is_asset) => Kind::Asset,
            _ => Kind::Other,
        };
    }
    if accept.contains("text/html") || is_document_path(path) {
        return navigation(false);
    }
    // Asked before `known`: what is known of a directory's pages is a plan for its stylesheets' paths too.
    if asset_extension(path) {
        return Kind::Asset;
    }
    if known() {
        return navigation(false);
    }
    if refers { Kind::Asset } else { navigation(false) }
}

/// Whether a request with another method than GET asks for a document to show.
fn is_submission(head: &Parts) -> bool {
    let shows_a_document = match head.headers.get(SEC_FETCH_MODE) {
        Some(mode) => mode.as_bytes() == b"navigate",
        None => text(&head.headers, header::ACCEPT).contains("text/html"),
    };
    !head.method.is_safe() && shows_a_document
}

/// Request fields that tell its kind. They are walked once: looking up nine names costs more.
#[derive(Default)]
struct Told<'a> {
    mode: Option<&'a [u8]>,
    destination: &'a str,
    site: &'a str,
    accept: &'a str,
    refers: bool,
}

impl<'a> Told<'a> {
    /// `None` for a request that gives no whole response for everyone, or is made for later. The first of several
    /// fields of a name counts.
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        let mut told = Told::default();
        for name in headers.keys() {
            let value = || headers.get(name);
            let text = || value().and_then(|value| value.to_str().ok()).unwrap_or_default();
            match name.as_str() {
                "accept" => told.accept = text(),
                "authorization" | "purpose" | "range" | "sec-purpose" => return None,
                "referer" => told.refers = true,
                "sec-fetch-dest" => told.destination = text(),
                "sec-fetch-mode" => told.mode = value().map(HeaderValue::as_bytes),
                "sec-fetch-site" => told.site = text(),
                _ => {}
            }
        }
        Some(told)
    }
}

/// Destinations that a page pulls in by itself and a preload can name.
pub(crate) fn is_asset(destination: Destination) -> bool {
    matches!(destination, Destination::Font | Destination::Image | Destination::Script | Destination::Style)
}

/// The destination that the extension of a path implies.
pub(crate) fn destination(path: &str) -> Option<Destination> {
    match extension(path.split('?').next().unwrap_or_default()) {
        "css" => Some(Destination::Style),
        "js" | "mjs" => Some(Destination::Script),
        "otf" | "ttf" | "woff" | "woff2" => Some(Destination::Font),
        "avif" | "bmp" | "gif" | "ico" | "jpeg" | "jpg" | "jxl" | "png" | "svg" | "webp" => Some(Destination::Image),
        _ => None,
    }
}

/// Whether the answer may be 304 or 412 instead of the document.
pub(crate) fn is_conditional(headers: &HeaderMap) -> bool {
    const NAMES: [&str; 5] = ["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"];
    headers.keys().any(|name| name.as_str().starts_with("if-") && NAMES.contains(&name.as_str()))
}

/// Whether the only conditions are those by which a client that holds the document asks whether it has changed.
fn is_revalidation(headers: &HeaderMap) -> bool {
    ["if-match", "if-range", "if-unmodified-since"].iter().all(|name| !headers.contains_key(*name))
}

/// Whether the request was made in CORS mode, if the client tells.
pub(crate) fn is_cors(headers: &HeaderMap) -> bool {
    text(headers, SEC_FETCH_MODE) == "cors"
}

/// The authority that was asked, in lower case.
pub(crate) fn authority(head: &Parts) -> Option<String> {
    let authority = match head.uri.authority() {
        Some(authority) => authority.as_str(),
        None => head.headers.get(header::HOST)?.to_str().ok()?,
    };
    let plain = !authority.is_empty() && authority.len() <= 255 && !authority.contains('@');
    plain.then(|| authority.to_ascii_lowercase())
}

/// Whether a proxy says that it forwards the request for a client (`Forwarded`, RFC 7239, and the fields before it).
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| matches!(name.as_str(), "forwarded" | "x-forwarded-for" | "x-real-ip"))
}

/// Whether a request has a `priority` field (RFC 9218, section 5).
pub(crate) fn has_priority(headers: &HeaderMap) -> bool {
    headers.contains_key(PRIORITY)
}

/// The urgency that a client gives to a request (RFC 9218, section 4.1). `gives` tells whether it is a client that gives
/// requests urgencies: one that does leaves out the default, 3.
pub(crate) fn urgency(headers: &HeaderMap, gives: bool) -> Option<u8> {
    let gives = gives || has_priority(headers);
    gives.then(|| PriorityParameters::from_headers(headers).over(Priority::default()).urgency)
}

/// Whether a 103 caused the request, which Firefox tells.
pub(crate) fn is_early_hint(headers: &HeaderMap) -> bool {
    text(headers, X_MOZ) == "early hint"
}

/// The part of the `Referer` that concerns this site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Referer {
    /// None was sent.
    Absent,
    /// A path with query on this site.
    Path(String),
    /// Another site, or nonsense: such a request teaches nothing.
    Foreign,
}

/// Reads the `Referer` (RFC 9110, section 10.1.3).
pub(crate) fn referer(headers: &HeaderMap, authority: &str) -> Referer {
    let Some(value) = headers.get(header::REFERER) else {
        return Referer::Absent;
    };
    let Some(value) = value.to_str().ok().filter(|value| value.len() <= 2 * MAX_PATH_BYTES) else {
        return Referer::Foreign;
    };
    if let Some(path) = plain_path(value, authority) {
        return Referer::Path(path.to_owned());
    }
    let Ok(uri) = value.parse::<Uri>() else {
        return Referer::Foreign;
    };
    let ours = uri.authority().is_some_and(|found| found.as_str().eq_ignore_ascii_case(authority));
    match uri.path_and_query() {
        Some(path) if ours => Referer::Path(path.as_str().to_owned()),
        _ => Referer::Foreign,
    }
}

/// The path with query of a URL of this site as browsers write it; `None` also for many that have one.
fn plain_path<'a>(url: &'a str, authority: &str) -> Option<&'a str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (found, path) = rest.split_at_checked(authority.len())?;
    let plain = |byte| matches!(byte, b'!' | b'$'..=b';' | b'=' | b'?'..=b'Z' | b'_' | b'a'..=b'z' | b'~');
    let ours = found.eq_ignore_ascii_case(authority) && path.starts_with('/') && path.bytes().all(plain);
    ours.then_some(path)
}

/// Icons that browsers ask for by themselves, for any page.
pub(crate) fn is_icon(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("favicon") || name.starts_with("apple-touch-icon")
}

/// The path with its query; `/` for a target without one.
pub(crate) fn path_and_query(head: &Parts) -> &str {
    head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

fn is_document_path(path: &str) -> bool {
    path.ends_with('/') || matches!(extension(path), "html" | "htm" | "xhtml" | "php")
}

fn asset_extension(path: &str) -> bool {
    const ASSETS: [&str; 24] = [
        "avif", "bmp", "css", "gif", "ico", "jpeg", "jpg", "js", "json", "jxl", "map", "mjs", "mp3", "mp4", "otf",
        "png", "svg", "ttf", "txt", "wasm", "webm", "webp", "woff", "woff2",
    ];
    ASSETS.binary_search(&extension(path)).is_ok()
}

fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The fields of a navigation that its promises repeat.
pub(crate) fn promised_fields(headers: &HeaderMap) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(PROMISED_FIELDS.len());
    for name in PROMISED_FIELDS {
        if let Some(value) = headers.get(&name) {
            fields.insert(name, value.clone());
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const BROWSER: Kind = Kind::Navigation(Navigation { browser: true, conditional: false });
    const PLAIN: Kind = Kind::Navigation(Navigation { browser: false, conditional: false });

    #[track_caller]
    fn check(path: &str, fields: &[(&str, &str)], kind: Kind) {
        let builder = fields.iter().fold(Request::get(path), |builder, (name, value)| builder.header(*name, *value));
        let (head, ()) = builder.body(()).unwrap().into_parts();
        assert_eq!(classify(&head, || path.starts_with("/known")), kind, "{path} {fields:?}");
    }

    #[test]
    fn fetch_metadata_decides() {
        let fetch = |mode, dest| [("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
        check("/", &fetch("navigate", "document"), BROWSER);
        check("/app.css", &fetch("navigate", "document"), BROWSER);
        check("/", &fetch("navigate", "iframe"), Kind::Other);
        check("/x", &fetch("no-cors", "style"), Kind::Asset);
        check("/x", &fetch("cors", "font"), Kind::Asset);
        check("/x", &fetch("cors", "empty"), Kind::Other);
        check("/x", &fetch("no-cors", "video"), Kind::Other);
        let mut prefetch = fetch("navigate", "document").to_vec();
        prefetch.push(("sec-purpose", "prefetch"));
        check("/", &prefetch, Kind::Other);
        let mut foreign = fetch("no-cors", "image").to_vec();
        foreign.push(("sec-fetch-site", "cross-site"));
        check("/x.png", &foreign, Kind::Other);
    }

    #[test]
    fn a_client_that_gives_urgencies_leaves_out_the_default() {
        let of = |field: &str, gives| {
            let headers: HeaderMap = [(PRIORITY, field.parse().unwrap())].into_iter().collect();
            urgency(&headers, gives)
        };
        assert_eq!([of("u=1", false), of("i", false), of("u=4, i", true)], [Some(1), Some(3), Some(4)]);
        assert_eq!([true, false].map(|gives| urgency(&HeaderMap::new(), gives)), [Some(3), None]);
    }

    #[test]
    fn without_it_accept_path_and_referer_decide() {
        let referer = ("referer", "https://a/");
        check("/", &[], PLAIN);
        check("/about", &[], PLAIN);
        check("/known", &[referer], PLAIN);
        check("/about.html", &[referer], PLAIN);
        check("/about", &[referer, ("accept", "text/html,*/*")], PLAIN);
        check("/api/users", &[referer], Kind::Asset);
        check("/app.css", &[], Kind::Asset);
        check("/known.css", &[], Kind::Asset);
        check("/", &[("purpose", "prefetch")], Kind::Other);
        check("/app.woff2?v=1", &[], Kind::Asset);
    }

    #[test]
    fn what_gives_no_whole_response_is_neither() {
        for field in [("range", "bytes=0-"), ("authorization", "Basic x"), ("if-none-match", "\"x\"")] {
            check("/", &[field], Kind::Other);
        }
        check("/app.css", &[("if-none-match", "\"x\"")], Kind::Asset);
        let (head, ()) = Request::post("/").body(()).unwrap().into_parts();
        assert_eq!(classify(&head, || true), Kind::Other);
        for (name, value) in [("sec-fetch-mode", "navigate"), ("accept", "text/html,*/*;q=0.8")] {
            let (head, ()) = Request::post("/").header(name, value).body(()).unwrap().into_parts();
            assert_eq!(classify(&head, || true), Kind::Submission);
            let (head, ()) = Request::head("/").header(name, value).body(()).unwrap().into_parts();
            assert_eq!(classify(&head, || true), Kind::Other);
        }
        let (head, ()) = Request::head("/").body(()).unwrap().into_parts();
        assert_eq!(classify(&head, || true), Kind::Other);
    }

    #[test]
    fn referers_are_ours_or_foreign() {
        let read =
            |value: &str| referer(&HeaderMap::from_iter([(header::REFERER, value.parse().unwrap())]), "a.example:8443");
        assert_eq!(read("https://a.example:8443/x?y"), Referer::Path("/x?y".into()));
        assert_eq!(read("https://A.EXAMPLE:8443"), Referer::Path("/".into()));
        for foreign in ["https://a.example/x", "https://u@a.example:8443/", "/x", "about:blank", "https://", "\u{1}"] {
            if let Ok(value) = foreign.parse() {
                let headers = HeaderMap::from_iter([(header::REFERER, value)]);
                assert_eq!(referer(&headers, "a.example:8443"), Referer::Foreign, "{foreign}");
            }
        }
        assert_eq!(referer(&HeaderMap::new(), "a.example"), Referer::Absent);
    }
}

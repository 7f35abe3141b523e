//! The shared response cache (RFC 9111): what may be kept is decided by `http-cache-semantics`, and by this:
//!
//! * Only 200 to GET, with a lifetime that the upstream gave. A guess from `Last-Modified` would keep a stylesheet for days
//!   after a deploy.
//! * Never with `Set-Cookie`, never where it varies by who asks, never for a request with `Authorization` or `Range`.
//! * What is stale is asked for anew.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use headstart::h2::Pushed;
use http::header::{self, HeaderMap};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri, response};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy, RequestLike};
use quick_cache::Weighter;
use quick_cache::sync::Cache as Entries;

use super::body::Body;
use super::config::Caching;

/// Bytes of all responses kept, with their heads; what is asked for least gives way. 64 MiB.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// Largest response that is kept, bytes. 1 MiB; a push of more than 256 KiB is not made.
const MAX_BODY: usize = 1 << 20;
/// Responses to one URL that differ by what `Vary` names; the oldest gives way.
const MAX_VARIANTS: usize = 4;
/// What an entry costs beside its bytes.
const OVERHEAD: u64 = 1024;

const OPTIONS: CacheOptions = CacheOptions {
    shared: true,
    cache_heuristic: 0.0,
    immutable_min_time_to_live: std::time::Duration::ZERO,
    ignore_cargo_cult: false,
};

/// Responses that any client may be given, kept in memory. Clones share them; so may several upstreams.
#[derive(Clone)]
pub(crate) struct Cache(Arc<Entries<Arc<str>, Variants, ByBytes>>);

/// The newest first.
type Variants = Arc<[Arc<Stored>]>;

struct Stored {
    policy: CachePolicy,
    head: HeaderMap,
    body: Bytes,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Arc<str>, Variants> for ByBytes {
    fn weight(&self, key: &Arc<str>, variants: &Variants) -> u64 {
        variants.iter().map(|stored| stored.body.len() as u64 + OVERHEAD).sum::<u64>() + key.len() as u64
    }
}

impl Default for Cache {
    fn default() -> Self {
        Cache::new(MAX_BYTES)
    }
}

impl Cache {
    /// Keeps at most so many bytes.
    pub(crate) fn new(max_bytes: u64) -> Self {
        let items = usize::try_from(max_bytes / (16 << 10)).unwrap_or(0).max(64);
        Cache(Arc::new(Entries::with_weighter(items, max_bytes, ByBytes)))
    }

    /// Bytes that are kept.
    #[cfg(test)]
    fn bytes(&self) -> u64 {
        self.0.weight()
    }

    /// Responses that are kept, variants counted once.
    #[cfg(test)]
    fn entries(&self) -> usize {
        self.0.len()
    }

    /// The stored response to a request as the upstream would get it, if it is fresh.
    pub(super) fn get(&self, key: &str, asked: Asked<'_>, now: SystemTime) -> Option<Response<Body>> {
        let variants = self.0.get(key)?;
        variants.iter().find_map(|stored| match stored.policy.before_request(&asked, now) {
            BeforeRequest::Fresh(parts) => Some(stored.answer(parts, &asked.0.headers)),
            BeforeRequest::Stale { .. } => None,
        })
    }

    /// A change to what is there makes the stored responses untrue (RFC 9111, section 4.4).
    pub(super) fn remove(&self, key: &str) {
        self.0.remove(key);
    }

    fn insert(&self, key: Arc<str>, request: &Parts, stored: Stored, now: SystemTime) {
        let mut variants = vec![Arc::new(stored)];
        if let Some(known) = self.0.peek(&key) {
            // Those that this request would have been answered with are replaced.
            let others = known.iter().filter(|known| {
                let BeforeRequest::Stale { matches, .. } = known.policy.before_request(&Asked(request), now) else {
                    return false;
                };
                !matches && !known.policy.is_stale(now)
            });
            variants.extend(others.take(MAX_VARIANTS - 1).map(Arc::clone));
        }
        self.0.insert(key, variants.into());
    }
}

impl Stored {
    fn answer(&self, mut parts: response::Parts, asked: &HeaderMap) -> Response<Body> {
        if self.is_held_by(asked) {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.remove(header::CONTENT_LENGTH);
            return Response::from_parts(parts, Body::known(Bytes::new()));
        }
        parts.headers.insert(header::CONTENT_LENGTH, self.body.len().into());
        Response::from_parts(parts, Body::known(self.body.clone()))
    }

    /// Whether the client's own copy is this one (RFC 9110, section 13.2.2).
    fn is_held_by(&self, asked: &HeaderMap) -> bool {
        if asked.contains_key(header::IF_NONE_MATCH) {
            let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
            let Some(own) = self.head.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(opaque) else {
                return false;
            };
            let tags = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
            return tags.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == own);
        }
        match (asked.get(header::IF_MODIFIED_SINCE), self.head.get(header::LAST_MODIFIED)) {
            (Some(since), Some(modified)) => since == modified,
            _ => false,
        }
    }
}

/// A request for what a key names, so that only its fields decide. Without `Host`, which is in the key.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a>(pub(super) &'a Parts);

impl RequestLike for Asked<'_> {
    fn uri(&self) -> Uri {
        self.0.uri.clone()
    }

    fn is_same_uri(&self, _: &Uri) -> bool {
        true
    }

    fn method(&self) -> &Method {
        &self.0.method
    }

    fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }
}

/// What a request has to do with the cache.
pub(super) struct Lookup {
    pub(super) cache: Cache,
    pub(super) key: Arc<str>,
    pub(super) use_for: Caching,
}

impl Lookup {
    /// `None` if it has nothing to do with it. `authority` is what the client asked for.
    pub(super) fn new(cache: &Cache, caching: Caching, upstream: &str, authority: &str, head: &Parts) -> Option<Self> {
        let eligible = match caching {
            Caching::Off => return None,
            Caching::Pushes => head.extensions.get::<Pushed>().is_some(),
            Caching::Assets | Caching::All => true,
        };
        let reads = head.method == Method::GET
            && ![header::AUTHORIZATION, header::RANGE, header::IF_MATCH, header::IF_UNMODIFIED_SINCE]
                .iter()
                .any(|name| head.headers.contains_key(name));
        // What changes something is looked at for what it makes untrue.
        let changes = !head.method.is_safe();
        if !eligible || !(reads || changes) {
            return None;
        }
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let key = format!("{upstream}\n{authority}\n{path}").into();
        Some(Lookup { cache: cache.clone(), key, use_for: caching })
    }

    /// Begins to keep a response, if it may be kept.
    pub(super) fn fill(self, request: Parts, head: &response::Parts) -> Option<Filling> {
        let now = SystemTime::now();
        if !may_be_kept(self.use_for, head.status, &head.headers) {
            return None;
        }
        let announced = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|bytes: usize| bytes > MAX_BODY) {
            return None;
        }
        let mut response = Response::new(());
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers.clone();
        let policy = CachePolicy::new_options(&request, &response, now, OPTIONS);
        if !policy.is_storable() || policy.time_to_live(now).is_zero() {
            return None;
        }
        let head = head.headers.clone();
        Some(Filling { cache: self.cache, key: self.key, request, policy, head, body: BytesMut::new() })
    }
}

/// The head of a request as the cache remembers it: without what only concerns its client.
pub(super) fn remembered(head: &Parts) -> Parts {
    let (mut copy, ()) = http::Request::new(()).into_parts();
    copy.method = head.method.clone();
    copy.uri = head.uri.clone();
    copy.headers = head.headers.clone();
    for name in [header::HOST, header::COOKIE, header::REFERER, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
        copy.headers.remove(name);
    }
    copy
}

fn may_be_kept(caching: Caching, status: StatusCode, headers: &HeaderMap) -> bool {
    let varies_by_client = |name: &str| {
        ["*", "authorization", "cookie", "x-forwarded-for", "forwarded"]
            .iter()
            .any(|who| name.eq_ignore_ascii_case(who))
    };
    let vary = headers.get_all(header::VARY).iter();
    status == StatusCode::OK
        && !headers.contains_key(header::SET_COOKIE)
        && vary
            .map(|value| value.to_str().unwrap_or("*"))
            .all(|value| !value.split(',').any(|name| varies_by_client(name.trim())))
        && (caching != Caching::Assets || is_asset(headers))
}

/// What pages pull in, by media type.
fn is_asset(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "text/css"
        || media.ends_with("/javascript")
        || media.ends_with("/x-javascript")
        || media.ends_with("/wasm")
        || media.starts_with("font/")
        || media.starts_with("image/")
        || media.starts_with("application/font")
}

/// A response that is kept while it is passed on.
pub(super) struct Filling {
    cache: Cache,
    key: Arc<str>,
    request: Parts,
    policy: CachePolicy,
    head: HeaderMap,
    body: BytesMut,
}

impl Filling {
    /// More of the body; `false` if it is too large to be kept.
    pub(super) fn add(&mut self, data: &Bytes) -> bool {
        let fits = self.body.len().saturating_add(data.len()) <= MAX_BODY;
        if fits {
            self.body.extend_from_slice(data);
        }
        fits
    }

    /// The response was whole.
    pub(super) fn finish(self) {
        let stored = Stored { policy: self.policy, head: self.head, body: self.body.freeze() };
        self.cache.insert(self.key, &self.request, stored, SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(fields: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri("/app.css");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// Keeps a response to a request and says whether that was done.
    fn keep(cache: &Cache, caching: Caching, asked: &[(&'static str, &str)], said: &[(&'static str, &str)]) -> bool {
        let head = request(asked);
        let Some(lookup) = Lookup::new(cache, caching, "app", "a.example", &head) else { return false };
        let mut response = Response::builder();
        for (name, value) in said {
            response = response.header(*name, *value);
        }
        let (response, ()) = response.body(()).unwrap().into_parts();
        let Some(mut filling) = lookup.fill(remembered(&head), &response) else { return false };
        assert!(filling.add(&Bytes::from_static(b"p{}")));
        filling.finish();
        true
    }

    fn get(cache: &Cache, asked: &[(&'static str, &str)], later: u64) -> Option<(u16, String)> {
        let now = SystemTime::now() + Duration::from_secs(later);
        let response = cache.get("app\na.example\n/app.css", Asked(&request(asked)), now)?;
        let age = response.headers().get("age").map_or("", |age| age.to_str().unwrap());
        Some((response.status().as_u16(), age.to_owned()))
    }

    const CSS: (&str, &str) = ("content-type", "text/css");
    const FRESH: (&str, &str) = ("cache-control", "max-age=60");

    #[test]
    fn what_is_fresh_is_given_with_its_age() {
        let cache = Cache::default();
        assert!(keep(&cache, Caching::Assets, &[("cookie", "a=1")], &[CSS, FRESH, ("etag", "\"1\"")]));
        assert_eq!(get(&cache, &[], 5), Some((200, "5".into())));
        assert_eq!(get(&cache, &[("cookie", "b=2")], 0).map(|found| found.0), Some(200));
        assert_eq!(get(&cache, &[("if-none-match", "\"0\", W/\"1\"")], 0).map(|found| found.0), Some(304));
        assert_eq!(get(&cache, &[("if-none-match", "\"2\"")], 0).map(|found| found.0), Some(200));
        assert_eq!(get(&cache, &[("cache-control", "no-cache")], 0), None);
        assert_eq!(get(&cache, &[], 61), None);
        cache.remove("app\na.example\n/app.css");
        assert_eq!(get(&cache, &[], 0), None);
    }

    #[test]
    fn what_is_not_for_everyone_is_not_kept() {
        let cache = Cache::default();
        let kept =
            |asked: &[(&'static str, &str)], said: &[(&'static str, &str)]| keep(&cache, Caching::Assets, asked, said);
        assert!(!kept(&[], &[CSS]), "no lifetime");
        assert!(!kept(&[], &[CSS, ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")]), "no lifetime but a guess");
        assert!(!kept(&[], &[CSS, ("cache-control", "private, max-age=60")]));
        assert!(!kept(&[], &[CSS, ("cache-control", "no-store, max-age=60")]));
        assert!(!kept(&[], &[CSS, ("cache-control", "no-cache, max-age=60")]));
        assert!(!kept(&[], &[CSS, FRESH, ("set-cookie", "a=1")]));
        assert!(!kept(&[], &[CSS, FRESH, ("vary", "accept-encoding, Cookie")]));
        assert!(!kept(&[], &[CSS, FRESH, ("vary", "*")]));
        assert!(!kept(&[("authorization", "x")], &[CSS, FRESH]));
        assert!(!kept(&[("range", "bytes=0-1")], &[CSS, FRESH]));
        assert!(!kept(&[("cache-control", "no-store")], &[CSS, FRESH]));
        assert!(!kept(&[], &[("content-type", "text/html"), FRESH]), "no asset");
        assert!(!kept(&[], &[CSS, FRESH, ("content-length", "2000000")]), "too large");
        assert!(!keep(&cache, Caching::Pushes, &[], &[CSS, FRESH]), "no push");
        assert!(keep(&cache, Caching::All, &[], &[("content-type", "text/html"), FRESH]));
        assert_eq!(cache.entries(), 1);
    }

    #[test]
    fn variants_live_side_by_side() {
        let cache = Cache::default();
        for coding in ["br", "gzip", "zstd", "deflate", "identity", "br"] {
            let said = [CSS, FRESH, ("vary", "accept-encoding"), ("content-encoding", coding)];
            assert!(keep(&cache, Caching::Assets, &[("accept-encoding", coding)], &said));
        }
        let found: Vec<_> = ["br", "gzip", "zstd", "deflate", "identity"]
            .into_iter()
            .filter(|coding| get(&cache, &[("accept-encoding", coding)], 0).is_some())
            .collect();
        assert_eq!(found, ["br", "zstd", "deflate", "identity"]);
        assert_eq!(get(&cache, &[], 0), None);
    }

    #[test]
    fn bytes_are_bounded() {
        let cache = Cache::new(100_000);
        for number in 0..1000 {
            let mut head = request(&[]);
            head.uri = format!("/{number}.css").parse().unwrap();
            let lookup = Lookup::new(&cache, Caching::All, "app", "a.example", &head).unwrap();
            let (response, ()) = Response::builder().header(FRESH.0, FRESH.1).body(()).unwrap().into_parts();
            let mut filling = lookup.fill(remembered(&head), &response).unwrap();
            assert!(filling.add(&Bytes::from(vec![0; 1000])));
            filling.finish();
        }
        assert!(cache.bytes() <= 100_000 && cache.entries() > 0, "{} bytes", cache.bytes());
    }
}

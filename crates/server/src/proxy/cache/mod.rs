//! The shared response cache (RFC 9111): what may be kept is decided by `http-cache-semantics`, and by this:
//!
//! * Only 200 to GET, with a lifetime that the upstream gave. A guess from `Last-Modified` would keep a stylesheet for days
//!   after a deploy.
//! * Never with `Set-Cookie`, never where it varies by who asks, never for a request with `Authorization` or `Range`.
//! * What is stale is asked for anew, by its validator if it has one ([`entry`]). It is shown meanwhile, or instead of an
//!   error, if the upstream says so (RFC 5861).
//! * Who asks for what somebody else is already asking for waits for that ([`flights`], [`lookup`]).

mod entry;
mod flights;
mod lookup;

use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use http_cache_semantics::BeforeRequest;
use quick_cache::Weighter;
use quick_cache::sync::Cache as Entries;
use tokio::sync::Semaphore;

use entry::{Asked, Entry};
use flights::Flights;
pub(super) use lookup::{Filling, Lookup, Noted};

/// Bytes of all responses kept, with their heads; what is asked for least gives way. 64 MiB.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// Largest response that is kept, bytes. 1 MiB; a push of more than 256 KiB is not made.
pub(super) const MAX_BODY: usize = 1 << 20;
/// Responses to one URL that differ by what `Vary` names; the oldest gives way.
const MAX_VARIANTS: usize = 4;
/// Responses on their way into the cache that are read faster than their clients take them; of others, the client sets
/// the pace. 64, of up to [`MAX_BODY`] each.
const MAX_AHEAD: usize = 64;
/// What an entry costs beside its bytes.
const OVERHEAD: u64 = 1024;

/// Responses that any client may be given, kept in memory. Clones share them; so may several upstreams.
#[derive(Clone)]
pub(crate) struct Cache(Arc<Inner>);

struct Inner {
    entries: Entries<Arc<str>, Variants, ByBytes>,
    /// Places for responses that are read faster than their clients take them.
    ahead: Arc<Semaphore>,
    flights: Arc<Flights>,
    /// How many seconds later it is than the system says.
    #[cfg(test)]
    later: std::sync::atomic::AtomicU64,
}

/// The newest first.
type Variants = Arc<[Entry]>;

/// What is stored for a request.
enum Found {
    Fresh(Entry),
    /// It has to be asked for anew, or the client wants that.
    Stale(Entry),
    Nothing,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Arc<str>, Variants> for ByBytes {
    fn weight(&self, key: &Arc<str>, variants: &Variants) -> u64 {
        variants.iter().map(|stored| stored.bytes() as u64 + OVERHEAD).sum::<u64>() + key.len() as u64
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
        let entries = Entries::with_weighter(items, max_bytes, ByBytes);
        Cache(Arc::new(Inner {
            entries,
            ahead: Arc::new(Semaphore::new(MAX_AHEAD)),
            flights: Arc::default(),
            #[cfg(test)]
            later: std::sync::atomic::AtomicU64::default(),
        }))
    }

    /// The time by which responses grow old.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests let time pass"))]
    fn now(&self) -> SystemTime {
        let now = SystemTime::now();
        #[cfg(test)]
        let now = now + std::time::Duration::from_secs(self.0.later.load(std::sync::atomic::Ordering::Relaxed));
        now
    }

    /// Lets time pass.
    #[cfg(test)]
    pub(super) fn later(&self, by: std::time::Duration) {
        self.0.later.fetch_add(by.as_secs(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Bytes that are kept.
    #[cfg(test)]
    fn bytes(&self) -> u64 {
        self.0.entries.weight()
    }

    /// Responses that are kept, variants counted once.
    #[cfg(test)]
    fn entries(&self) -> usize {
        self.0.entries.len()
    }

    /// The stored response to a request as the client sent it.
    fn find(&self, key: &str, head: &Parts, now: SystemTime) -> Found {
        let Some(variants) = self.0.entries.get(key) else { return Found::Nothing };
        let mut stale = Found::Nothing;
        for stored in variants.iter() {
            match stored.policy.before_request(&Asked(head), now) {
                BeforeRequest::Fresh(_) => return Found::Fresh(Arc::clone(stored)),
                BeforeRequest::Stale { matches: true, .. } if matches!(stale, Found::Nothing) => {
                    stale = Found::Stale(Arc::clone(stored));
                }
                BeforeRequest::Stale { .. } => {}
            }
        }
        stale
    }

    /// A change to what is there makes the stored responses untrue (RFC 9111, section 4.4).
    fn remove(&self, key: &str) {
        self.0.flights.forget(key);
        self.0.entries.remove(key);
    }

    fn insert(&self, key: Arc<str>, request: &Parts, stored: Entry, now: SystemTime) {
        let mut variants = vec![stored];
        if let Some(known) = self.0.entries.peek(&key) {
            // Those that this request would have been answered with are replaced.
            let others = known.iter().filter(|known| {
                let BeforeRequest::Stale { matches, .. } = known.policy.before_request(&Asked(request), now) else {
                    return false;
                };
                !matches && !known.policy.is_stale(now)
            });
            variants.extend(others.take(MAX_VARIANTS - 1).map(Arc::clone));
        }
        self.0.entries.insert(key, variants.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::config::Caching;
    use bytes::Bytes;
    use http::Response;
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
        let Noted::Passes(Some(mut filling)) = lookup.note(&head, &response) else { return false };
        assert!(filling.add(&Bytes::from_static(b"p{}")));
        filling.finish();
        true
    }

    fn get(cache: &Cache, asked: &[(&'static str, &str)], later: u64) -> Option<(u16, String)> {
        let now = SystemTime::now() + Duration::from_secs(later);
        let head = request(asked);
        let Found::Fresh(found) = cache.find("app\na.example\n/app.css", &head, now) else { return None };
        let response = found.answer(&head.headers, &head.method, now);
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
    fn what_is_stale_is_validated_for_who_lets_it_be_kept() {
        let cache = Cache::default();
        assert!(keep(&cache, Caching::Assets, &[], &[CSS, FRESH, ("etag", "\"1\"")]));
        cache.later(Duration::from_secs(61));
        let condition = |fields: &[(&'static str, &str)]| {
            let mut head = request(fields);
            let mut lookup = Lookup::new(&cache, Caching::Assets, "app", "a.example", &head).unwrap();
            assert!(lookup.find(&head).is_none());
            lookup.make_conditional(&mut head);
            head.headers.get("if-none-match").map(|tag| tag.to_str().unwrap().to_owned())
        };
        assert_eq!(condition(&[]).as_deref(), Some("\"1\""));
        assert_eq!(condition(&[("if-none-match", "\"0\"")]).as_deref(), Some("\"1\""));
        assert_eq!(condition(&[("if-none-match", "\"0\""), ("cache-control", "no-store")]).as_deref(), Some("\"0\""));
    }

    #[test]
    fn bytes_are_bounded() {
        let cache = Cache::new(100_000);
        for number in 0..1000 {
            let mut head = request(&[]);
            head.uri = format!("/{number}.css").parse().unwrap();
            let lookup = Lookup::new(&cache, Caching::All, "app", "a.example", &head).unwrap();
            let (response, ()) = Response::builder().header(FRESH.0, FRESH.1).body(()).unwrap().into_parts();
            let Noted::Passes(Some(mut filling)) = lookup.note(&head, &response) else { panic!("it is not kept") };
            assert!(filling.add(&Bytes::from(vec![0; 1000])));
            filling.finish();
        }
        assert!(cache.bytes() <= 100_000 && cache.entries() > 0, "{} bytes", cache.bytes());
    }
}

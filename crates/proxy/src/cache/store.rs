//! The stored responses, by key.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use http_cache_semantics::BeforeRequest;
use quick_cache::Weighter;
use quick_cache::sync::Cache as Entries;
use tokio::sync::Semaphore;

use super::entry::{Asked, Entry};
use super::fills::Fills;

/// Bytes of all responses kept, with their heads; what is asked for least gives way. 64 MiB.
const MAX_BYTES: u64 = 64 << 20;
/// Largest response that is kept, bytes. 1 MiB.
pub(super) const MAX_BODY: usize = 1 << 20;
/// Responses to one URL that differ by what `Vary` names; the oldest gives way.
pub(super) const MAX_VARIANTS: usize = 8;
/// Responses on their way into the cache that are read faster than their clients take them; of others, the client sets
/// the pace. 64, of up to [`MAX_BODY`] each.
const MAX_AHEAD: usize = 64;
/// Bytes that an entry costs beside its body.
const OVERHEAD: u64 = 1024;

/// Responses that any client may be given, kept in memory. Clones share them; so may several upstreams.
#[derive(Clone)]
pub struct Cache(pub(super) Arc<Inner>);

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("bytes", &self.0.entries.weight()).finish_non_exhaustive()
    }
}

pub(super) struct Inner {
    entries: Entries<Arc<str>, Variants, ByBytes>,
    /// Permits for responses that are read faster than their clients take them.
    pub(super) ahead: Arc<Semaphore>,
    pub(super) fills: Arc<Fills>,
    /// How many seconds later it is than the system says.
    #[cfg(test)]
    later: std::sync::atomic::AtomicU64,
}

/// The newest first.
type Variants = Arc<[Entry]>;

/// The stored response to a request.
pub(super) enum Found {
    Fresh(Entry),
    /// It has to be revalidated, or the client asks for that.
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
    pub fn new(max_bytes: u64) -> Self {
        let items = usize::try_from(max_bytes / (16 << 10)).unwrap_or(0).max(64);
        let entries = Entries::with_weighter(items, max_bytes, ByBytes);
        Cache(Arc::new(Inner {
            entries,
            ahead: Arc::new(Semaphore::new(MAX_AHEAD)),
            fills: Arc::default(),
            #[cfg(test)]
            later: std::sync::atomic::AtomicU64::default(),
        }))
    }

    /// The time by which responses grow old.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests let time pass"))]
    pub(super) fn now(&self) -> SystemTime {
        let now = SystemTime::now();
        #[cfg(test)]
        let now = now + std::time::Duration::from_secs(self.0.later.load(std::sync::atomic::Ordering::Relaxed));
        now
    }

    /// Lets time pass.
    #[cfg(test)]
    pub(crate) fn later(&self, by: std::time::Duration) {
        self.0.later.fetch_add(by.as_secs(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Bytes that are kept.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.0.entries.weight()
    }

    /// Responses that are kept, variants counted once.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.0.entries.len()
    }

    /// The stored response to a request as the client sent it.
    pub(super) fn find(&self, key: &str, head: &Parts, now: SystemTime) -> Found {
        let Some(variants) = self.0.entries.get(key) else { return Found::Nothing };
        let mut stale = Found::Nothing;
        for stored in variants.iter() {
            match stored.policy.before_request(&Asked(head), now) {
                BeforeRequest::Fresh(_) if stored.is_suspect() => {
                    stale = Found::Stale(Arc::clone(stored));
                }
                BeforeRequest::Fresh(_) => return Found::Fresh(Arc::clone(stored)),
                BeforeRequest::Stale { matches: true, .. } if matches!(stale, Found::Nothing) => {
                    stale = Found::Stale(Arc::clone(stored));
                }
                BeforeRequest::Stale { .. } => {}
            }
        }
        stale
    }

    /// An unsafe method may have changed what is there (RFC 9111, section 4.4): the next request asks the upstream. The
    /// responses stay, so that a validator may confirm them: nobody can empty the cache by POST.
    pub(super) fn suspect(&self, key: &str) {
        self.0.fills.forget(key);
        if let Some(variants) = self.0.entries.peek(key) {
            variants.iter().for_each(|stored| stored.suspect());
        }
    }

    /// Forgets what is stored.
    pub(super) fn remove(&self, key: &str) {
        self.0.fills.forget(key);
        self.0.entries.remove(key);
    }

    pub(super) fn insert(&self, key: Arc<str>, request: &Parts, stored: Entry, now: SystemTime) {
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

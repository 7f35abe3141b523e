//! Memory of pages besides the learner's: their policies, who was shown them, and their statements.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headstart_learn::Freshness;
use http::{HeaderMap, header};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::caching::Caching;
use crate::identity::Identities;
use crate::page_policy::PagePolicy;
#[cfg(feature = "markup")]
use crate::response;
use crate::statements::Statements;
use crate::unserved::Unserved;

/// Bytes of all pages, in all; what is asked for least gives way.
const MAX_PAGES_BYTES: u64 = 16 << 20;
/// Least size of a page in memory, bytes.
const PAGE_BYTES: u64 = 512;
/// Assets whose last answer is remembered.
const MAX_ANSWERS: usize = 32_768;

/// The table of pages and the answers of assets.
pub(crate) struct Pages {
    identities: Identities,
    shown: Cache<u64, Entry, ByBytes>,
    answers: Cache<u64, Freshness>,
}

/// A page with its weight at the time when it was put here: the table has to find the weight that it counted.
#[derive(Clone)]
struct Entry {
    page: Arc<Page>,
    bytes: u64,
}

/// One page of one site.
#[derive(Debug, Default)]
pub(crate) struct Page {
    state: Mutex<PageState>,
}

/// Memory of one page.
#[derive(Debug, Default)]
pub(crate) struct PageState {
    /// Of the fields of its last response.
    pub(crate) policy: PagePolicy,
    /// A private response was given to a request with cookies of the application, or with credentials.
    guarded: bool,
    /// It was shown to somebody without.
    open: bool,
    pub(crate) statements: Option<Arc<Statements>>,
    /// Hints of its assets that did not serve.
    pub(crate) unserved: Unserved,
    #[cfg(feature = "markup")]
    pub(crate) looks: crate::looks::Looks,
}

impl PageState {
    /// Only those whom the application knows are shown the page: others are sent elsewhere, and hints would be wasted.
    pub(crate) fn is_guarded(&self) -> bool {
        self.guarded && !self.open
    }

    /// The page was shown.
    pub(crate) fn shown(&mut self, head: &http::response::Parts, policy: PagePolicy, stranger: bool) {
        self.policy = policy;
        self.open |= stranger;
        if !stranger && !self.guarded {
            let caching = Caching::of(&head.headers);
            self.guarded = caching.private || caching.no_store;
        }
    }
}

impl Page {
    pub(crate) fn state(&self) -> MutexGuard<'_, PageState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    pub(crate) fn new(identities: Identities) -> Self {
        let items = (MAX_PAGES_BYTES / PAGE_BYTES) as usize;
        Pages {
            identities,
            shown: Cache::with_weighter(items, MAX_PAGES_BYTES, ByBytes),
            answers: Cache::new(MAX_ANSWERS),
        }
    }

    /// The memory of a page, if it was shown before.
    pub(crate) fn get(&self, authority: &str, page: &str) -> Option<Arc<Page>> {
        self.shown.get(&self.key(authority, page)).map(|entry| entry.page)
    }

    /// The entry of a page that is shown.
    pub(crate) fn get_or_add(&self, authority: &str, page: &str) -> Arc<Page> {
        let key = self.key(authority, page);
        self.shown.get(&key).map_or_else(
            || {
                let page = Arc::new(Page::default());
                self.shown.insert(key, Entry { page: Arc::clone(&page), bytes: PAGE_BYTES });
                page
            },
            |entry| entry.page,
        )
    }

    /// The page's statements have changed, and with them its weight.
    #[cfg(feature = "markup")]
    pub(crate) fn reweigh(&self, authority: &str, name: &str, page: &Arc<Page>) {
        let bytes = PAGE_BYTES + page.state().looks.bytes() as u64;
        self.shown.insert(self.key(authority, name), Entry { page: Arc::clone(page), bytes });
    }

    /// The key of the answers of an asset.
    pub(crate) fn answer_key(&self, authority: &str, path: &str) -> u64 {
        self.key(authority, path)
    }

    /// An asset was answered 200, for everyone.
    pub(crate) fn answered(&self, key: u64, freshness: Freshness) {
        if self.answers.get(&key) != Some(freshness) {
            self.answers.insert(key, freshness);
        }
    }

    /// A file answers for an asset with this header, though nobody has asked for it yet.
    #[cfg(feature = "markup")]
    pub(crate) fn found(&self, authority: &str, path: &str, cors: bool, head: &HeaderMap) {
        if let Ok(asset) = response::asset(&self.identities, path, cors, head, None) {
            self.answered(self.answer_key(authority, path), asset.freshness);
        }
    }

    /// An asset was not found.
    pub(crate) fn missing(&self, key: u64) {
        self.answers.remove(&key);
    }

    /// How fresh the last answer of an asset was, if it was 200.
    pub(crate) fn freshness(&self, authority: &str, path: &str) -> Option<Freshness> {
        self.answers.get(&self.key(authority, path))
    }

    /// A number for what tells two contents apart; never 0.
    #[cfg(feature = "markup")]
    pub(crate) fn validator(&self, parts: &[&[u8]]) -> u64 {
        self.identities.validator(parts)
    }

    fn key(&self, authority: &str, path: &str) -> u64 {
        self.identities.validator(&[authority.as_bytes(), path.as_bytes()])
    }
}

/// Weighs pages by what they say.
#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<u64, Entry> for ByBytes {
    fn weight(&self, _: &u64, entry: &Entry) -> u64 {
        entry.bytes
    }
}

/// Whether a request comes from somebody whom the application does not know: it carries neither credentials nor a cookie
/// but ours.
pub(crate) fn is_stranger(headers: &HeaderMap) -> bool {
    const OURS: [&str; 3] = ["__Host-headstart", "h2o_casper", "x-go-casper"];
    let ours = |pair: &str| OURS.contains(&pair.split('=').next().unwrap_or_default().trim()) || pair.trim().is_empty();
    !headers.contains_key(header::AUTHORIZATION)
        && headers
            .get_all(header::COOKIE)
            .iter()
            .all(|value| value.to_str().is_ok_and(|value| value.split(';').all(ours)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    #[test]
    fn strangers_have_no_cookie_but_ours() {
        let with = |name, value: &str| HeaderMap::from_iter([(name, value.parse().unwrap())]);
        assert!(is_stranger(&HeaderMap::new()));
        assert!(is_stranger(&with(header::COOKIE, "__Host-headstart=abc")));
        assert!(!is_stranger(&with(header::COOKIE, "__Host-headstart=abc; session=1")));
        assert!(!is_stranger(&with(header::AUTHORIZATION, "Basic x")));
    }

    #[test]
    fn a_page_is_guarded_until_a_stranger_is_shown_it() {
        let head = Response::builder().header("cache-control", "private").body(()).unwrap().into_parts().0;
        let mut state = PageState::default();
        assert!(!state.is_guarded());
        state.shown(&head, PagePolicy::default(), false);
        assert!(state.is_guarded());
        state.shown(&head, PagePolicy::default(), true);
        assert!(!state.is_guarded());
    }
}

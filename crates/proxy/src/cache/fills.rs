//! Requests for the same entry at the same time: one asks the upstream, the others wait for what it brings.
//!
//! They wait for a while only. Where what came was for one client alone, all go on by themselves, and the URL is
//! remembered, so that nobody waits for it again soon.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache as Remembered;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

/// Requests that wait for others, of all URLs together. 1,024; who comes later asks the upstream.
const MAX_WAITING: usize = 1024;
/// How long a URL is remembered to give nothing that could be shared. 60 s.
const REMEMBERED: Duration = Duration::from_secs(60);
/// URLs remembered so, a few words each; one that is asked for little gives way.
const MAX_REMEMBERED: usize = 4096;

/// The requests for entries that are under way.
pub(super) struct Fills {
    state: Mutex<State>,
    /// Until when a URL, by its hash, is not waited for.
    alone: Remembered<u64, Instant>,
    hasher: RandomState,
    waiting: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    next: u64,
    under_way: HashMap<Arc<str>, UnderWay>,
}

struct UnderWay {
    number: u64,
    outcome: watch::Receiver<Option<Filled>>,
}

/// The role of one request beside others for the same entry.
pub(crate) enum Role {
    /// It asks for all.
    Leader(Fill),
    /// It waits.
    Coalesced(Coalesced),
    /// Neither.
    Alone,
}

/// The result of the request on which others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The response is in the cache.
    Stored,
    /// The response may be given to one client only, or not be kept.
    NotShareable,
    /// Nothing came, or an error of the server.
    Failed,
}

/// A request that others may wait for. Dropped before it filled, it lets another one ask for all.
pub(crate) struct Fill {
    fills: Arc<Fills>,
    key: Arc<str>,
    number: u64,
    outcome: watch::Sender<Option<Filled>>,
}

/// A request that waits.
pub(crate) struct Coalesced {
    outcome: watch::Receiver<Option<Filled>>,
    _place: OwnedSemaphorePermit,
}

impl Default for Fills {
    fn default() -> Self {
        Fills {
            state: Mutex::default(),
            alone: Remembered::new(MAX_REMEMBERED),
            hasher: RandomState::new(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }
}

impl Fills {
    /// The role of a request for an entry; `may_lead` says whether its response would do for others.
    pub(super) fn join(self: &Arc<Self>, key: &Arc<str>, may_lead: bool, now: Instant) -> Role {
        let hash = self.hasher.hash_one(key);
        if self.alone.get(&hash).is_some_and(|until| now < until) {
            return Role::Alone;
        }
        let mut state = self.lock();
        let number = state.next;
        match state.under_way.entry(Arc::clone(key)) {
            Entry::Occupied(entry) => match Arc::clone(&self.waiting).try_acquire_owned() {
                Ok(place) => Role::Coalesced(Coalesced { outcome: entry.get().outcome.clone(), _place: place }),
                Err(_) => Role::Alone,
            },
            Entry::Vacant(_) if !may_lead => Role::Alone,
            Entry::Vacant(entry) => {
                let (sender, outcome) = watch::channel(None);
                entry.insert(UnderWay { number, outcome });
                state.next += 1;
                Role::Leader(Fill { fills: Arc::clone(self), key: Arc::clone(key), number, outcome: sender })
            }
        }
    }

    /// What is under way for this entry was asked for before it changed: nobody is to keep it, or wait for it.
    pub(super) fn forget(&self, key: &str) {
        self.lock().under_way.remove(key);
    }

    /// The map is whole at any time.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fill {
    /// Whether what it brings is still what is to be kept.
    pub(super) fn is_current(&self) -> bool {
        self.fills.lock().under_way.get(&self.key).is_some_and(|fill| fill.number == self.number)
    }

    /// Tells those who wait.
    pub(super) fn complete(self, how: Filled, now: Instant) {
        let hash = self.fills.hasher.hash_one(&self.key);
        match how {
            Filled::Stored => drop(self.fills.alone.remove(&hash)),
            Filled::NotShareable => self.fills.alone.insert(hash, now + REMEMBERED),
            Filled::Failed => {}
        }
        self.outcome.send_replace(Some(how));
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        let mut state = self.fills.lock();
        if state.under_way.get(&self.key).is_some_and(|fill| fill.number == self.number) {
            state.under_way.remove(&self.key);
        }
    }
}

impl Coalesced {
    /// Waits for what comes; `None` if the one who asked gave up.
    pub(super) async fn filled(mut self) -> Option<Filled> {
        self.outcome.wait_for(Option::is_some).await.ok().and_then(|filled| *filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(fills: &Arc<Fills>, key: &str) -> Fill {
        match fills.join(&key.into(), true, Instant::now()) {
            Role::Leader(fill) => fill,
            Role::Coalesced(_) | Role::Alone => panic!("somebody else asks for {key}"),
        }
    }

    fn follows(fills: &Arc<Fills>, key: &str) -> Coalesced {
        match fills.join(&key.into(), true, Instant::now()) {
            Role::Coalesced(coalesced) => coalesced,
            Role::Leader(_) | Role::Alone => panic!("nobody asks for {key}"),
        }
    }

    #[tokio::test]
    async fn one_asks_and_all_hear_of_it() {
        let fills = Arc::<Fills>::default();
        let first = leads(&fills, "/a");
        let other = leads(&fills, "/b");
        let waiting = [follows(&fills, "/a"), follows(&fills, "/a")];
        assert!(first.is_current());
        first.complete(Filled::Stored, Instant::now());
        for coalesced in waiting {
            assert_eq!(coalesced.filled().await, Some(Filled::Stored));
        }
        let waiting = follows(&fills, "/b");
        drop(other);
        assert_eq!(waiting.filled().await, None, "it gave up");
        assert!(fills.lock().under_way.is_empty());
    }

    #[tokio::test]
    async fn what_is_for_one_is_not_waited_for_for_a_while() {
        let fills = Arc::<Fills>::default();
        let first = leads(&fills, "/me");
        let coalesced = follows(&fills, "/me");
        first.complete(Filled::NotShareable, Instant::now());
        assert_eq!(coalesced.filled().await, Some(Filled::NotShareable));
        let alone = |after| matches!(fills.join(&"/me".into(), true, Instant::now() + after), Role::Alone);
        assert!(alone(REMEMBERED / 2));
        assert!(!alone(REMEMBERED * 2));
        let again = match fills.join(&"/me".into(), true, Instant::now() + REMEMBERED * 2) {
            Role::Leader(fill) => fill,
            Role::Coalesced(_) | Role::Alone => panic!("it is still remembered"),
        };
        again.complete(Filled::Stored, Instant::now());
        leads(&fills, "/me");
    }

    #[test]
    fn places_to_wait_are_bounded_and_come_back() {
        let fills = Arc::<Fills>::default();
        assert!(matches!(fills.join(&"/a".into(), false, Instant::now()), Role::Alone), "its response would not do");
        let _first = leads(&fills, "/a");
        let waiting: Vec<_> = (0..MAX_WAITING).map(|_| follows(&fills, "/a")).collect();
        assert!(matches!(fills.join(&"/a".into(), true, Instant::now()), Role::Alone));
        drop(waiting);
        follows(&fills, "/a");
    }

    #[test]
    fn what_was_asked_for_before_a_change_is_not_current() {
        let fills = Arc::<Fills>::default();
        let before = leads(&fills, "/a");
        fills.forget("/a");
        let after = leads(&fills, "/a");
        assert!(!before.is_current());
        drop(before);
        assert!(after.is_current());
    }
}

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
pub(super) struct Flights {
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
    landing: watch::Receiver<Option<Landed>>,
}

/// What one request does beside others for the same entry.
pub(in crate::proxy) enum Part {
    /// It asks for all.
    Leads(Flight),
    /// It waits.
    Follows(Follower),
    /// Neither.
    Alone,
}

/// What came of the request that asked for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Landed {
    /// What came is in the cache.
    Kept,
    /// What came may be given to one client only, or not be kept.
    ForOne,
    /// Nothing came, or an error of the server.
    Failed,
}

/// A request that others may wait for. Dropped before it landed, it lets another one ask for all.
pub(in crate::proxy) struct Flight {
    flights: Arc<Flights>,
    key: Arc<str>,
    number: u64,
    landing: watch::Sender<Option<Landed>>,
}

/// A request that waits.
pub(in crate::proxy) struct Follower {
    landing: watch::Receiver<Option<Landed>>,
    _place: OwnedSemaphorePermit,
}

impl Default for Flights {
    fn default() -> Self {
        Flights {
            state: Mutex::default(),
            alone: Remembered::new(MAX_REMEMBERED),
            hasher: RandomState::new(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }
}

impl Flights {
    /// What a request for an entry is to do; `may_lead` says whether its response would do for others.
    pub(super) fn join(self: &Arc<Self>, key: &Arc<str>, may_lead: bool, now: Instant) -> Part {
        let hash = self.hasher.hash_one(key);
        if self.alone.get(&hash).is_some_and(|until| now < until) {
            return Part::Alone;
        }
        let mut state = self.lock();
        let number = state.next;
        match state.under_way.entry(Arc::clone(key)) {
            Entry::Occupied(entry) => match Arc::clone(&self.waiting).try_acquire_owned() {
                Ok(place) => Part::Follows(Follower { landing: entry.get().landing.clone(), _place: place }),
                Err(_) => Part::Alone,
            },
            Entry::Vacant(_) if !may_lead => Part::Alone,
            Entry::Vacant(entry) => {
                let (sender, landing) = watch::channel(None);
                entry.insert(UnderWay { number, landing });
                state.next += 1;
                Part::Leads(Flight { flights: Arc::clone(self), key: Arc::clone(key), number, landing: sender })
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

impl Flight {
    /// Whether what it brings is still what is to be kept.
    pub(super) fn is_current(&self) -> bool {
        self.flights.lock().under_way.get(&self.key).is_some_and(|flight| flight.number == self.number)
    }

    /// Tells those who wait.
    pub(super) fn land(self, how: Landed, now: Instant) {
        let hash = self.flights.hasher.hash_one(&self.key);
        match how {
            Landed::Kept => drop(self.flights.alone.remove(&hash)),
            Landed::ForOne => self.flights.alone.insert(hash, now + REMEMBERED),
            Landed::Failed => {}
        }
        self.landing.send_replace(Some(how));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.flights.lock();
        if state.under_way.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            state.under_way.remove(&self.key);
        }
    }
}

impl Follower {
    /// Waits for what comes; `None` if the one who asked gave up.
    pub(super) async fn landed(mut self) -> Option<Landed> {
        self.landing.wait_for(Option::is_some).await.ok().and_then(|landed| *landed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(flights: &Arc<Flights>, key: &str) -> Flight {
        match flights.join(&key.into(), true, Instant::now()) {
            Part::Leads(flight) => flight,
            Part::Follows(_) | Part::Alone => panic!("somebody else asks for {key}"),
        }
    }

    fn follows(flights: &Arc<Flights>, key: &str) -> Follower {
        match flights.join(&key.into(), true, Instant::now()) {
            Part::Follows(follower) => follower,
            Part::Leads(_) | Part::Alone => panic!("nobody asks for {key}"),
        }
    }

    #[tokio::test]
    async fn one_asks_and_all_hear_of_it() {
        let flights = Arc::<Flights>::default();
        let first = leads(&flights, "/a");
        let other = leads(&flights, "/b");
        let waiting = [follows(&flights, "/a"), follows(&flights, "/a")];
        assert!(first.is_current());
        first.land(Landed::Kept, Instant::now());
        for follower in waiting {
            assert_eq!(follower.landed().await, Some(Landed::Kept));
        }
        let waiting = follows(&flights, "/b");
        drop(other);
        assert_eq!(waiting.landed().await, None, "it gave up");
        assert!(flights.lock().under_way.is_empty());
    }

    #[tokio::test]
    async fn what_is_for_one_is_not_waited_for_for_a_while() {
        let flights = Arc::<Flights>::default();
        let first = leads(&flights, "/me");
        let follower = follows(&flights, "/me");
        first.land(Landed::ForOne, Instant::now());
        assert_eq!(follower.landed().await, Some(Landed::ForOne));
        let alone = |after| matches!(flights.join(&"/me".into(), true, Instant::now() + after), Part::Alone);
        assert!(alone(REMEMBERED / 2));
        assert!(!alone(REMEMBERED * 2));
        let again = match flights.join(&"/me".into(), true, Instant::now() + REMEMBERED * 2) {
            Part::Leads(flight) => flight,
            Part::Follows(_) | Part::Alone => panic!("it is still remembered"),
        };
        again.land(Landed::Kept, Instant::now());
        leads(&flights, "/me");
    }

    #[test]
    fn places_to_wait_are_bounded_and_come_back() {
        let flights = Arc::<Flights>::default();
        assert!(matches!(flights.join(&"/a".into(), false, Instant::now()), Part::Alone), "its response would not do");
        let _first = leads(&flights, "/a");
        let waiting: Vec<_> = (0..MAX_WAITING).map(|_| follows(&flights, "/a")).collect();
        assert!(matches!(flights.join(&"/a".into(), true, Instant::now()), Part::Alone));
        drop(waiting);
        follows(&flights, "/a");
    }

    #[test]
    fn what_was_asked_for_before_a_change_is_not_current() {
        let flights = Arc::<Flights>::default();
        let before = leads(&flights, "/a");
        flights.forget("/a");
        let after = leads(&flights, "/a");
        assert!(!before.is_current());
        drop(before);
        assert!(after.is_current());
    }
}

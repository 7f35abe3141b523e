//! Files in memory: a map of bounded size that gives up what was not asked for lately.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::representation::Representation;

/// What an entry costs beside its content: headers, names, table slots. An upper estimate.
const OVERHEAD: usize = 1024;

/// Representations by name, of at most `max_bytes` in all.
///
/// Reading takes a shared lock and sets one flag. When room is needed, entries are visited in the order of their
/// arrival, in a circle: one that was read since the last visit stays, the first that was not goes (the clock
/// algorithm). The cost of an insertion is amortised constant.
pub(super) struct Cache {
    max_bytes: usize,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<Arc<str>, Slot>,
    clock: VecDeque<Arc<str>>,
    bytes: usize,
}

struct Slot {
    representation: Arc<Representation>,
    cost: usize,
    read: AtomicBool,
}

impl Cache {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, state: RwLock::default() }
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<Representation>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let slot = state.slots.get(name)?;
        slot.read.store(true, Ordering::Relaxed);
        Some(Arc::clone(&slot.representation))
    }

    /// Keeps a representation of `content` bytes in place of what was kept under the name. One that is larger than
    /// the whole cache is not kept.
    pub(super) fn insert(&self, name: &str, representation: Arc<Representation>, content: usize) {
        let cost = content.saturating_add(OVERHEAD);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if cost > self.max_bytes {
            state.remove(name);
            return;
        }
        state.insert(name, Slot { representation, cost, read: AtomicBool::new(false) });
        state.shrink(self.max_bytes);
    }

    /// Forgets a name. Linear in the number of entries; called when a file is gone.
    pub(super) fn remove(&self, name: &str) {
        if self.state.read().unwrap_or_else(PoisonError::into_inner).slots.contains_key(name) {
            self.state.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        }
    }
}

impl State {
    fn insert(&mut self, name: &str, slot: Slot) {
        self.bytes += slot.cost;
        if let Some(old) = self.slots.get_mut(name) {
            self.bytes -= old.cost;
            *old = slot;
        } else {
            let name: Arc<str> = name.into();
            self.clock.push_back(Arc::clone(&name));
            self.slots.insert(name, slot);
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(slot) = self.slots.remove(name) {
            self.bytes -= slot.cost;
            self.clock.retain(|other| &**other != name);
        }
    }

    fn shrink(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes {
            let Some(name) = self.clock.pop_front() else {
                return;
            };
            let Some(slot) = self.slots.get_mut(&name) else {
                continue;
            };
            if std::mem::take(slot.read.get_mut()) {
                self.clock.push_back(name);
            } else {
                self.bytes -= slot.cost;
                self.slots.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn representation() -> Arc<Representation> {
        Arc::new(Representation::of_bytes("x.txt", bytes::Bytes::from_static(b"x")))
    }

    #[test]
    fn stays_within_its_bound() {
        let cache = Cache::new(10 * OVERHEAD);
        for n in 0..1000 {
            cache.insert(&format!("f{n}"), representation(), 100);
            let state = cache.state.read().unwrap();
            assert!(state.bytes <= 10 * OVERHEAD);
            assert_eq!(state.slots.len(), state.clock.len());
            assert_eq!(state.bytes, state.slots.values().map(|s| s.cost).sum::<usize>());
        }
        assert!(cache.get("f999").is_some());
        assert!(cache.get("f0").is_none());
    }

    #[test]
    fn what_is_read_stays() {
        let cache = Cache::new(4 * OVERHEAD);
        cache.insert("hot", representation(), 0);
        for n in 0..100 {
            cache.insert(&format!("f{n}"), representation(), 0);
            assert!(cache.get("hot").is_some(), "after {n}");
        }
    }

    #[test]
    fn replace_and_remove() {
        let cache = Cache::new(10 * OVERHEAD);
        cache.insert("a", representation(), 1);
        cache.insert("a", representation(), 2);
        assert_eq!(cache.state.read().unwrap().bytes, OVERHEAD + 2);
        cache.insert("a", representation(), 100 * OVERHEAD);
        assert!(cache.get("a").is_none());
        cache.insert("b", representation(), 1);
        cache.remove("b");
        cache.remove("b");
        let state = cache.state.read().unwrap();
        assert_eq!((state.bytes, state.clock.len(), state.slots.len()), (0, 0, 0));
    }
}

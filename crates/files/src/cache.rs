//! Files in memory: a map of bounded size that gives up what was not asked for lately.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::entry::Entry;

/// The memory of an entry beside its content: headers of up to four forms, names, table slots. An upper estimate.
const OVERHEAD: usize = 4096;

/// Entries by name, of at most `max_bytes` in all.
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

/// A value that a cache keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Files that are kept, each with its compressed forms.
    pub files: u64,
    /// As it is counted: an upper estimate.
    pub bytes: u64,
}

struct Slot {
    entry: Arc<Entry>,
    cost: usize,
    read: AtomicBool,
}

impl Cache {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, state: RwLock::default() }
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<Entry>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let slot = state.slots.get(name)?;
        // Written only when it changes: the line is shared by all threads.
        if !slot.read.load(Ordering::Relaxed) {
            slot.read.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&slot.entry))
    }

    /// Keeps an entry in place of what was kept under the name. One that is larger than the whole cache is not kept.
    pub(super) fn insert(&self, name: &str, entry: Arc<Entry>) {
        let cost = cost(&entry);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if cost > self.max_bytes {
            state.remove(name);
            return;
        }
        state.insert(name, Slot { entry, cost, read: AtomicBool::new(false) });
        state.shrink(self.max_bytes);
    }

    /// Updates the size of an entry that grew. If it is no longer the one that is kept, nothing happens.
    pub(super) fn grown(&self, name: &str, entry: &Arc<Entry>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State { slots, bytes, .. } = &mut *state;
        if let Some(slot) = slots.get_mut(name).filter(|slot| Arc::ptr_eq(&slot.entry, entry)) {
            let cost = cost(entry);
            *bytes = *bytes - slot.cost + cost;
            slot.cost = cost;
            state.shrink(self.max_bytes);
        }
    }

    /// How much is kept.
    pub(super) fn stats(&self) -> CacheStats {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        CacheStats { files: state.slots.len() as u64, bytes: state.bytes as u64 }
    }

    /// Forgets a name. Linear in the number of entries; called when a file is gone.
    pub(super) fn remove(&self, name: &str) {
        if self.state.read().unwrap_or_else(PoisonError::into_inner).slots.contains_key(name) {
            self.state.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        }
    }
}

fn cost(entry: &Entry) -> usize {
    entry.content_bytes().saturating_add(OVERHEAD)
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
    use std::time::SystemTime;

    use super::super::representation::Representation;
    use super::*;

    fn entry(bytes: usize) -> Arc<Entry> {
        let plain = Representation::of_bytes("x.txt", vec![b'x'; bytes].into());
        Arc::new(Entry::new(plain, Default::default(), Vec::new(), SystemTime::now()))
    }

    #[track_caller]
    fn check(cache: &Cache) {
        let state = cache.state.read().unwrap();
        assert!(state.bytes <= cache.max_bytes);
        assert_eq!(state.slots.len(), state.clock.len());
        assert_eq!(state.bytes, state.slots.values().map(|s| s.cost).sum::<usize>());
    }

    #[test]
    fn stays_within_its_bound() {
        let cache = Cache::new(10 * OVERHEAD);
        for n in 0..1000 {
            cache.insert(&format!("f{n}"), entry(100));
            check(&cache);
        }
        assert!(cache.get("f999").is_some());
        assert!(cache.get("f0").is_none());
    }

    #[test]
    fn what_is_read_stays() {
        let cache = Cache::new(4 * OVERHEAD);
        cache.insert("hot", entry(0));
        for n in 0..100 {
            cache.insert(&format!("f{n}"), entry(0));
            assert!(cache.get("hot").is_some(), "after {n}");
        }
    }

    #[test]
    fn what_grows_is_counted_anew() {
        let cache = Cache::new(4 * OVERHEAD);
        let (old, growing) = (entry(10), entry(10));
        cache.insert("a", old.clone());
        cache.insert("b", growing.clone());
        let form = |bytes| Some(Arc::new(Representation::of_bytes("x.txt", vec![b'x'; bytes].into())));
        growing.encoded[0].set(form(100)).ok().unwrap();
        cache.grown("b", &growing);
        check(&cache);
        assert_eq!(cache.state.read().unwrap().bytes, 2 * OVERHEAD + 120);
        // Not the one that is kept.
        cache.grown("b", &old);
        assert_eq!(cache.state.read().unwrap().bytes, 2 * OVERHEAD + 120);
        growing.encoded[1].set(form(3 * OVERHEAD)).ok().unwrap();
        cache.grown("b", &growing);
        check(&cache);
        assert!(cache.get("a").is_none());
    }

    #[test]
    fn replace_and_remove() {
        let cache = Cache::new(10 * OVERHEAD);
        cache.insert("a", entry(1));
        cache.insert("a", entry(2));
        assert_eq!(cache.state.read().unwrap().bytes, OVERHEAD + 2);
        cache.insert("a", entry(100 * OVERHEAD));
        assert!(cache.get("a").is_none());
        cache.insert("b", entry(1));
        cache.remove("b");
        cache.remove("b");
        let state = cache.state.read().unwrap();
        assert_eq!((state.bytes, state.clock.len(), state.slots.len()), (0, 0, 0));
    }
}

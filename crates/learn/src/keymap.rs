//! A map from keyed hashes to numbers that grows a small part at a time.

use std::collections::HashMap;

use foldhash::fast::FixedState;

const PARTS: usize = 64;

/// A map in 64 parts. A hash table doubles by copying; in parts, a sixty-fourth of
/// the map exists twice for a moment, not all of it.
#[derive(Debug)]
pub(crate) struct KeyMap {
    parts: Vec<HashMap<u64, u32, FixedState>>,
    /// Sum of the capacities of the parts.
    capacity: usize,
}

impl KeyMap {
    pub(crate) fn new(seed: u64) -> Self {
        let part = || HashMap::with_hasher(FixedState::with_seed(seed));
        Self { parts: (0..PARTS).map(|_| part()).collect(), capacity: 0 }
    }

    pub(crate) fn get(&self, key: u64) -> Option<u32> {
        self.parts.get(part(key))?.get(&key).copied()
    }

    pub(crate) fn insert(&mut self, key: u64, value: u32) {
        if let Some(part) = self.parts.get_mut(part(key)) {
            let before = part.capacity();
            part.insert(key, value);
            self.capacity = self.capacity + part.capacity() - before;
        }
    }

    pub(crate) fn remove(&mut self, key: u64) {
        if let Some(part) = self.parts.get_mut(part(key)) {
            part.remove(&key);
        }
    }

    /// Bytes of heap, to within a few control bytes a part.
    pub(crate) fn bytes(&self) -> usize {
        self.capacity * 8 / 7 * (size_of::<(u64, u32)>() + 1)
    }
}

/// The part is chosen by bits that the table itself does not look at first.
fn part(key: u64) -> usize {
    (key >> 24) as usize % PARTS
}

//! The memory of a connection's pushes.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, RandomState};

/// A bounded memory of assets sent on one connection (mod_h2's "push diary"), so that none is sent twice.
///
/// An entry is a keyed hash of authority (a connection may serve several), path and version, so an asset that changed
/// is not in it. When it is full, the oldest entry is dropped. A false hit needs a collision of 64-bit hashes under a
/// random key. A lookup compares with each entry: 256 of them are 2 KiB.
#[derive(Debug)]
pub struct Diary {
    hasher: RandomState,
    entries: VecDeque<u64>,
    max_entries: usize,
}

/// One version of an asset, in the [`Diary`] that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiaryEntry(u64);

impl Diary {
    /// Creates an empty diary of at most `max_entries` entries (8 bytes each); with 0 it remembers nothing.
    pub fn new(max_entries: usize) -> Self {
        Diary { hasher: RandomState::new(), entries: VecDeque::new(), max_entries }
    }

    /// Makes the entry of an asset. `authority` is whatever tells two sites apart, `version` whatever tells two contents
    /// apart, such as the bytes of an ETag. One keyed hash.
    pub fn entry(&self, authority: impl Hash, path: &str, version: &[u8]) -> DiaryEntry {
        DiaryEntry(self.hasher.hash_one((authority, path, version)))
    }

    /// Whether this version of the asset was sent.
    pub fn contains(&self, DiaryEntry(entry): DiaryEntry) -> bool {
        self.entries.contains(&entry)
    }

    /// Remembers an asset. Returns `false` if it was there already.
    pub fn insert(&mut self, DiaryEntry(entry): DiaryEntry) -> bool {
        if self.entries.contains(&entry) {
            return false;
        }
        if self.entries.len() >= self.max_entries {
            self.entries.pop_front();
        }
        if self.max_entries > 0 {
            self.entries.push_back(entry);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_remembered_until_it_gives_way() {
        let mut diary = Diary::new(2);
        let first = diary.entry("a.example", "/a.css", b"1");
        let second = diary.entry("a.example", "/a.css", b"2");
        assert!(diary.insert(first) && !diary.insert(first));
        assert!(diary.contains(first) && !diary.contains(second));
        assert!(!diary.contains(diary.entry("b.example", "/a.css", b"1")), "another site's is another asset");
        let other = diary.entry("a.example", "/b.css", b"");
        assert!(diary.insert(second) && diary.insert(other));
        assert!(!diary.contains(first), "the oldest gives way");
        assert!(diary.contains(second) && diary.contains(other));
    }

    #[test]
    fn none_remembers_nothing() {
        let mut diary = Diary::new(0);
        let entry = diary.entry("a.example", "/a", b"");
        assert!(diary.insert(entry) && diary.insert(entry) && !diary.contains(entry));
    }
}

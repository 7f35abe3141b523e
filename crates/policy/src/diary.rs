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

impl Diary {
    /// Creates an empty diary of at most `max_entries` entries (8 bytes each); with 0 it remembers nothing.
    pub fn new(max_entries: usize) -> Self {
        Diary { hasher: RandomState::new(), entries: VecDeque::new(), max_entries }
    }

    /// Whether this version of the asset was sent. `authority` is whatever tells two sites apart, `version` whatever
    /// tells two contents apart, such as the bytes of an ETag.
    pub fn contains(&self, authority: impl Hash, path: &str, version: &[u8]) -> bool {
        self.entries.contains(&self.entry(authority, path, version))
    }

    /// Remembers an asset; `false` if it was there already.
    pub fn insert(&mut self, authority: impl Hash, path: &str, version: &[u8]) -> bool {
        let entry = self.entry(authority, path, version);
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

    fn entry(&self, authority: impl Hash, path: &str, version: &[u8]) -> u64 {
        self.hasher.hash_one((authority, path, version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_remembered_until_it_gives_way() {
        let mut diary = Diary::new(2);
        assert!(diary.insert("a.example", "/a.css", b"1"));
        assert!(!diary.insert("a.example", "/a.css", b"1"));
        assert!(diary.contains("a.example", "/a.css", b"1") && !diary.contains("a.example", "/a.css", b"2"));
        assert!(!diary.contains("b.example", "/a.css", b"1"), "another site's is another asset");
        assert!(diary.insert("a.example", "/a.css", b"2"));
        assert!(diary.insert("a.example", "/b.css", b""));
        assert!(!diary.contains("a.example", "/a.css", b"1"), "the oldest gives way");
        assert!(diary.contains("a.example", "/a.css", b"2") && diary.contains("a.example", "/b.css", b""));
    }

    #[test]
    fn none_remembers_nothing() {
        let mut diary = Diary::new(0);
        assert!(diary.insert("a.example", "/a", b"") && diary.insert("a.example", "/a", b""));
        assert!(!diary.contains("a.example", "/a", b""));
    }
}

//! Names between the servers of a fleet: which are known here for a moment, and which have been told.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use crate::metadata::Metadata;

/// For how long a name is kept that has not passed the gate, in seconds: until what others have seen meanwhile has come.
const PENDING_SECONDS: u32 = 60;

/// A name is told again after so many seconds, for those that have missed it.
const AGAIN_SECONDS: u32 = 3600;

/// Least seconds between two notices of a changed asset.
const CHANGED_SECONDS: u32 = 60;

/// Most names that wait to be told.
const MAX_DUE: usize = 4096;

/// Most assets whose names are awaited, and most nodes that are remembered for each.
const MAX_AWAITED: usize = 4096;
const MAX_AWAITING: usize = 16;

/// Names of assets and pages by keyed hash.
///
/// A name that has not passed the gate is kept for a minute, in memory alone, and is neither shown nor sent: the networks
/// that are missing may have been seen by other servers in that minute, and then somebody has to know it.
#[derive(Debug)]
pub(crate) struct Names {
    pending: HashMap<u64, Pending, FixedState>,
    /// When each was added, the oldest first; those that were added again are in it twice.
    order: VecDeque<(u64, u32)>,
    pending_bytes: usize,
    max_pending_bytes: usize,
    told: HashMap<u64, (Metadata, u32), FixedState>,
    max_told: usize,
    due: Vec<u64>,
    /// Keys of the nodes whose plans miss an asset that has passed the gate, for want of its name.
    awaited: HashMap<u64, Vec<u64>, FixedState>,
}

/// A name that is known for a moment.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) path: Box<str>,
    /// `None` for a page.
    pub(crate) metadata: Option<Metadata>,
    since: u32,
}

const TOLD_BYTES: usize = 2 * size_of::<(u64, (Metadata, u32))>();
const PENDING_BYTES: usize = 2 * size_of::<(u64, Pending)>() + size_of::<(u64, u32)>();

impl Names {
    /// Keeps to `bytes` bytes, half for names that are pending and half for what was told.
    pub(crate) fn new(bytes: usize, seed: u64) -> Self {
        Self {
            pending: HashMap::with_hasher(FixedState::with_seed(seed)),
            order: VecDeque::new(),
            pending_bytes: 0,
            max_pending_bytes: bytes / 2,
            told: HashMap::with_hasher(FixedState::with_seed(seed)),
            max_told: bytes / 2 / TOLD_BYTES,
            due: Vec::new(),
            awaited: HashMap::with_hasher(FixedState::with_seed(seed)),
        }
    }

    /// Keeps a name for a minute. O(1) amortised.
    pub(crate) fn keep(&mut self, hash: u64, path: &str, metadata: Option<Metadata>, second: u32) {
        self.forget(second);
        if let Some(known) = self.pending.get_mut(&hash) {
            known.metadata = metadata;
            if known.since != second {
                known.since = second;
                self.order.push_back((hash, second));
                self.pending_bytes += size_of::<(u64, u32)>();
            }
            return;
        }
        self.pending_bytes += path.len() + PENDING_BYTES;
        self.order.push_back((hash, second));
        self.pending.insert(hash, Pending { path: path.into(), metadata, since: second });
    }

    /// A name that was kept within the last minute.
    pub(crate) fn pending(&self, hash: u64) -> Option<&Pending> {
        self.pending.get(&hash)
    }

    /// Has the name of an asset told with what is sent next, unless it was told before. Whether it will be.
    pub(crate) fn tell(&mut self, hash: u64) -> bool {
        let news = self.due.len() < MAX_DUE && !self.told.contains_key(&hash);
        if news {
            self.due.push(hash);
        }
        news
    }

    pub(crate) fn take_due(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.due)
    }

    /// Whether a name is to be told at `second`; if so it counts as told.
    pub(crate) fn is_news(&mut self, hash: u64, metadata: Metadata, second: u32) -> bool {
        let news = self.told.get(&hash).is_none_or(|(told, when)| {
            let age = second.saturating_sub(*when);
            age >= AGAIN_SECONDS || (*told != metadata && age >= CHANGED_SECONDS)
        });
        if news {
            self.note(hash, metadata, second);
        }
        news
    }

    /// Everybody was told a name at `second`, by this server or by another.
    pub(crate) fn note(&mut self, hash: u64, metadata: Metadata, second: u32) {
        if self.told.len() >= self.max_told {
            self.told.clear();
        }
        self.told.insert(hash, (metadata, second));
    }

    /// The plans of these nodes miss an asset until its name is told.
    pub(crate) fn wait(&mut self, hash: u64, nodes: impl Iterator<Item = u64>) {
        if self.awaited.len() >= MAX_AWAITED && !self.awaited.contains_key(&hash) {
            self.awaited.clear();
        }
        let awaiting = self.awaited.entry(hash).or_default();
        for node in nodes {
            if awaiting.len() < MAX_AWAITING && !awaiting.contains(&node) {
                awaiting.push(node);
            }
        }
    }

    /// The nodes whose plans have missed an asset of which the name is known now.
    pub(crate) fn arrived(&mut self, hash: u64) -> Vec<u64> {
        self.awaited.remove(&hash).unwrap_or_default()
    }

    /// Bytes of heap, about.
    pub(crate) fn bytes(&self) -> usize {
        self.pending_bytes
            + self.told.capacity() * TOLD_BYTES
            + self.due.capacity() * size_of::<u64>()
            + self.awaited.len() * 2 * size_of::<(u64, Vec<u64>)>()
            + self.awaited.values().map(|nodes| nodes.capacity() * size_of::<u64>()).sum::<usize>()
    }

    fn forget(&mut self, second: u32) {
        while let Some((hash, since)) = self.order.front().copied() {
            if second.saturating_sub(since) < PENDING_SECONDS && self.pending_bytes <= self.max_pending_bytes {
                return;
            }
            self.order.pop_front();
            if self.pending.get(&hash).is_some_and(|pending| pending.since == since) {
                let path = self.pending.remove(&hash).map_or(0, |pending| pending.path.len());
                self.pending_bytes = self.pending_bytes.saturating_sub(path + PENDING_BYTES);
            } else {
                self.pending_bytes = self.pending_bytes.saturating_sub(size_of::<(u64, u32)>());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_for_a_minute() {
        let mut names = Names::new(1 << 20, 1);
        names.keep(1, "/a", None, 100);
        names.keep(2, "/b", None, 130);
        names.keep(1, "/a", None, 150);
        names.keep(3, "/c", None, 195);
        assert!(names.pending(1).is_some() && names.pending(2).is_none(), "the second was not seen again");
        names.keep(4, "/d", None, 1000);
        assert_eq!(names.pending.len(), 1);
        assert_eq!(names.pending_bytes, 2 + PENDING_BYTES);
    }

    #[test]
    fn names_keep_to_their_bytes() {
        let mut names = Names::new(1 << 14, 1);
        for n in 0..10_000 {
            names.keep(n, "/some/name.css", None, 7);
            names.note(n, Metadata::default(), 7);
        }
        assert!(names.pending_bytes <= (1 << 13) + PENDING_BYTES + 20 && names.told.len() <= names.max_told);
        assert!(names.pending(9_999).is_some() && names.pending(0).is_none());
    }

    #[test]
    fn a_name_is_told_once_an_hour_and_when_it_changes() {
        let mut names = Names::new(1 << 20, 1);
        let changed = Metadata { bytes: 7, ..Metadata::default() };
        assert!(names.is_news(1, Metadata::default(), 10));
        assert!(!names.is_news(1, Metadata::default(), 200));
        assert!(names.is_news(1, changed, 200));
        assert!(!names.is_news(1, Metadata::default(), 210), "not every second");
        assert!(names.is_news(1, changed, 200 + 3600));
    }
}

//! Evidence of visits since it was last taken, for other servers: a second, bounded table beside the model's.

use std::collections::VecDeque;

use crate::names::Names;
use crate::visit_evidence::{MAX_SAMPLED, VisitEvidence};

/// Most answers that something is gone which are kept.
const MAX_TOMBSTONES: usize = 4096;

/// A network was told that a page or an asset is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gone {
    /// Keyed hash of the page or the asset.
    pub(crate) key: u64,
    pub(crate) second: u32,
    /// Tells networks apart.
    pub(crate) tag: u16,
}

/// The evidence since a mark.
///
/// When it is full, half of the visits that it holds are dropped, drawn by lot, and each of the others stands for two
/// from then on: what is sent stays unbiased, however long nothing could be sent.
#[derive(Debug)]
pub(crate) struct Accumulator {
    visits: VecDeque<VisitEvidence>,
    gone: Vec<Gone>,
    pub(crate) names: Names,
    bytes: usize,
    max_bytes: usize,
    /// Something was learned that others should hear of soon.
    news: bool,
    dropped: u64,
}

/// The evidence taken from an accumulator.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) visits: VecDeque<VisitEvidence>,
    pub(crate) gone: Vec<Gone>,
    /// Keyed hashes of assets whose names are to be told.
    pub(crate) due: Vec<u64>,
}

impl Accumulator {
    /// Keeps to `bytes` bytes: a quarter for names, the rest for visits.
    pub(crate) fn new(bytes: usize, seed: u64) -> Self {
        let names = bytes / 4;
        Self {
            visits: VecDeque::new(),
            gone: Vec::new(),
            names: Names::new(names, seed),
            bytes: 0,
            max_bytes: bytes - names,
            news: false,
            dropped: 0,
        }
    }

    /// Adds a visit; `news` if it made something known that was not. O(1) amortised.
    pub(crate) fn add(&mut self, visit: VisitEvidence, news: bool) {
        let bytes = visit.bytes();
        if self.bytes + bytes > self.max_bytes {
            self.thin();
        }
        if self.bytes + bytes > self.max_bytes {
            self.dropped += 1;
            return;
        }
        self.bytes += bytes;
        self.visits.push_back(visit);
        self.news |= news;
    }

    /// Adds what a network was told.
    pub(crate) fn add_gone(&mut self, gone: Gone) {
        let room = self.gone.len() < MAX_TOMBSTONES;
        let same = |known: &Gone| known.key == gone.key && known.tag == gone.tag;
        match self.gone.iter_mut().rev().take(64).find(|known| same(known)) {
            Some(known) => known.second = known.second.max(gone.second),
            None if room => self.gone.push(gone),
            None => self.dropped += 1,
        }
        self.news = true;
    }

    /// The name of an asset may be shown from now on, and is to be told to others unless they told it.
    pub(crate) fn tell(&mut self, hash: u64) {
        self.news |= self.names.tell(hash);
    }

    /// Gives away what is there: the mark is set anew.
    pub(crate) fn take(&mut self) -> Taken {
        self.bytes = 0;
        self.news = false;
        Taken {
            visits: std::mem::take(&mut self.visits),
            gone: std::mem::take(&mut self.gone),
            due: self.names.take_due(),
        }
    }

    /// Visits that are kept, whether others should hear of something soon, and visits that found no room so far.
    pub(crate) fn state(&self) -> (usize, bool, u64) {
        (self.visits.len() + self.gone.len(), self.news, self.dropped)
    }

    /// Bytes of heap, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.gone.capacity() * size_of::<Gone>() + self.names.bytes()
    }

    fn thin(&mut self) {
        let before = self.visits.len();
        self.visits.retain_mut(|visit| {
            let stays = visit.sampled < MAX_SAMPLED && visit.lot() >> visit.sampled & 1 == 0;
            visit.sampled += u8::from(stays);
            stays
        });
        self.dropped += (before - self.visits.len()) as u64;
        self.bytes = self.visits.iter().map(VisitEvidence::bytes).sum();
    }
}

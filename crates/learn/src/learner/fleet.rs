//! A learner among others: what it tells them, and what it hears from them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::error::Error;
use std::fmt;

use super::Learner;
use crate::delta::{self, Head, Outgoing};
use crate::sync::lock;
use crate::time::{Time, millis};
use crate::visit_evidence::{MAX_SAMPLED, VisitEvidence};
use crate::witnesses::seconds;

/// The amount of evidence that a learner has gathered for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outbound {
    /// Visits and answers that something is gone, waiting to be taken.
    pub waiting: usize,
    /// Whether others should hear of it soon: something has become known by it.
    pub news: bool,
    /// Visits for which there was no room, since the start. Those that were kept stand for them.
    pub dropped: u64,
    /// Bytes of heap, about.
    pub bytes: usize,
    /// Requests for assets that named their page in full.
    pub named_assets: u64,
    /// Those of them whose page was asked for elsewhere; see [`Stats::orphans`](crate::Stats::orphans).
    pub orphans: u64,
}

/// Evidence since a mark, for other learners.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delta {
    /// The delta, as [`Learner::learn_delta`] takes it.
    pub bytes: Vec<u8>,
    /// Visits in it.
    pub visits: usize,
    /// The most visits that one of them stands for.
    pub heaviest: u32,
}

/// The result of learning a delta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Learned {
    /// Visits that were learned.
    pub visits: usize,
    /// Visits whose network had voted on the page lately, here or elsewhere.
    pub voted: usize,
    /// Visits to sites for which there is no room.
    pub refused: usize,
}

/// Why a delta was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeltaError {
    /// It is not a delta, or not of this version.
    Malformed,
    /// It was made under another key.
    OtherKey,
    /// It was made by a learner of another half-life.
    OtherHalfLife,
    /// A visit claims to stand for more visits than is allowed.
    TooHeavy,
}

impl fmt::Display for DeltaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeltaError::Malformed => "the delta contradicts its format, or is of another version",
            DeltaError::OtherKey => "the delta was made under another key",
            DeltaError::OtherHalfLife => "the delta is of a learner with another half-life",
            DeltaError::TooHeavy => "a visit of the delta claims to stand for more visits than is allowed",
        })
    }
}

impl Error for DeltaError {}

impl Learner {
    /// From now on keeps what visits say in a second table of at most `bytes` bytes, beside
    /// [`Config::memory_bytes`](crate::Config::memory_bytes), until [`take_delta`](Self::take_delta) takes it. When the
    /// table is full, half of its visits are dropped by lot and the others stand for them.
    pub fn accumulate(&self, bytes: usize) {
        lock(&self.model).accumulate(bytes);
        lock(&self.orphans).look(self.config.memory_bytes() / 128);
    }

    /// The amount of evidence for others since it was last taken. O(1).
    pub fn outbound(&self) -> Outbound {
        let tally = lock(&self.orphans).tally();
        let model = lock(&self.model);
        model.accumulator().map_or_else(Outbound::default, |accumulator| {
            let (waiting, news, dropped) = accumulator.state();
            let (named_assets, orphans) = (tally.assets, tally.orphans);
            Outbound { waiting, news, dropped, bytes: accumulator.bytes(), named_assets, orphans }
        })
    }

    /// The evidence since this was last called, in about `budget` bytes at most; `None` if there is none. What it holds
    /// is counted once if it is [learned](Self::learn_delta) once by each other learner of the same key, in any order.
    ///
    /// Where there is more than the budget takes, whole visits are left out by lot, those of pages with many visits
    /// first, and each of the others stands for 2, 4, and so on, `max_weight` at most: sums stay unbiased. What has not
    /// passed the network gate is in it as a keyed hash only.
    ///
    /// O(assets of the visits); the model is locked for a few hundred assets at a time.
    pub fn take_delta(&self, now: Time, budget: usize, max_weight: u32) -> Option<Delta> {
        let tick = self.tick(now);
        let taken = lock(&self.model).take_accumulated();
        if taken.visits.is_empty() && taken.gone.is_empty() && taken.due.is_empty() {
            return None;
        }
        let mut outgoing =
            Outgoing { visits: sample(taken.visits, budget, max_weight), gone: taken.gone, ..Outgoing::default() };
        let second = seconds(tick);
        self.in_turns(taken.due, |model, hash| {
            let told = model.tell_asset(hash, second, true);
            outgoing.assets.extend(told.map(|told| (hash, told)));
        });
        let met: HashSet<u64> = outgoing.visits.iter().flat_map(|visit| &visit.items).map(|item| item.asset).collect();
        self.in_turns(met, |model, hash| {
            if !outgoing.assets.contains_key(&hash) {
                let told = model.tell_asset(hash, second, false);
                outgoing.assets.extend(told.map(|told| (hash, told)));
            }
        });
        let pages: HashSet<u64> = outgoing.visits.iter().map(|visit| visit.page.path).collect();
        self.in_turns(pages, |model, path| {
            let name = model.tell_page(path, second);
            outgoing.pages.extend(name.map(|name| (path, name)));
        });
        let head = Head { fingerprint: self.keys.fingerprint(), half_life: millis(self.config.half_life()), tick };
        Some(Delta {
            bytes: delta::write(head, &self.sites.names(), &outgoing),
            visits: outgoing.visits.len(),
            heaviest: outgoing.visits.iter().map(VisitEvidence::weight).max().unwrap_or(1),
        })
    }

    /// Learns what another learner has gathered, as if its visits had been made here. One network has one vote on a page
    /// in an interval, wherever it was cast. A visit may stand for `max_weight` visits at most.
    ///
    /// A delta that is learned twice counts twice: telling that one has been learned is for the caller.
    ///
    /// # Errors
    ///
    /// When it is malformed, or was made under another key or half-life, or claims too much; then nothing of it is
    /// taken in.
    ///
    /// # Complexity
    ///
    /// O(n) for n bytes. The model is locked for one visit at a time.
    pub fn learn_delta(&self, now: Time, bytes: &[u8], max_weight: u32) -> Result<Learned, DeltaError> {
        let tick = self.tick(now);
        let (head, cursor) = delta::read_head(bytes).ok_or(DeltaError::Malformed)?;
        if head.fingerprint != self.keys.fingerprint() {
            return Err(DeltaError::OtherKey);
        }
        if head.half_life != millis(self.config.half_life()) {
            return Err(DeltaError::OtherHalfLife);
        }
        let delta = delta::read(head, cursor, tick, |name| self.site(name), |site, path| self.keys.path(site, path));
        let delta = delta.ok_or(DeltaError::Malformed)?;
        if delta.visits.iter().any(|visit| visit.weight() > max_weight) {
            return Err(DeltaError::TooHeavy);
        }
        let second = seconds(tick);
        let mut learned = Learned { refused: delta.homeless, ..Learned::default() };
        // Names first: visits may be what lets them be shown.
        for (hash, named) in delta.names.assets() {
            lock(&self.model).learn_name(hash, named, second);
        }
        for visit in &delta.visits {
            let mut model = lock(&self.model);
            // Its site may have lost its place meanwhile.
            if !self.sites.has(visit.site) {
                learned.refused += 1;
            } else if model.learn_foreign(visit, &delta.names) {
                learned.visits += 1;
            } else {
                learned.voted += 1;
            }
        }
        for gone in &delta.gone {
            lock(&self.model).bury_foreign(*gone);
        }
        Ok(learned)
    }

    /// Takes up to `most` of the clients that asked here for assets of a page which they had asked of another server, as
    /// keyed hashes, for [`learn_scattered`](Self::learn_scattered) at the others: what seems to be missing on their views
    /// there was asked for here. At most 256 wait to be taken. O(clients).
    pub fn take_scattered(&self, most: usize) -> Vec<u64> {
        lock(&self.orphans).take(most)
    }

    /// Learns of clients whose requests another server has seen in part: for ten minutes nothing is concluded from what is
    /// missing on their views, those that are open among them. O(clients); bounded by a table of fixed size, in which later
    /// clients take the place of earlier ones.
    pub fn learn_scattered(&self, now: Time, clients: impl IntoIterator<Item = u64>) {
        let tick = self.tick(now);
        let mut orphans = lock(&self.orphans);
        clients.into_iter().for_each(|client| orphans.heard(client, tick));
    }

    /// Tells keys apart without giving them away.
    pub fn key_fingerprint(&self) -> u64 {
        self.keys.fingerprint()
    }

    /// The settings.
    pub fn config(&self) -> &crate::Config {
        &self.config
    }

    /// Locks the model for some hundred of these at a time.
    fn in_turns(&self, hashes: impl IntoIterator<Item = u64>, mut work: impl FnMut(&mut crate::model::Model, u64)) {
        let hashes: Vec<u64> = hashes.into_iter().collect();
        for some in hashes.chunks(256) {
            let mut model = lock(&self.model);
            for hash in some {
                work(&mut model, *hash);
            }
        }
    }
}

/// Bytes of a visit in a delta, about: of itself, of each item, and of what is new in the tables.
fn cost(visit: &VisitEvidence) -> usize {
    40 + 5 * visit.items.len()
}

/// Leaves out whole visits by lot until the rest costs no more than `budget`: of each page as many as are left of the
/// pages with the most, so that rare pages are told in full for as long as may be.
fn sample(mut visits: VecDeque<VisitEvidence>, budget: usize, max_weight: u32) -> Vec<VisitEvidence> {
    let most = u8::try_from(max_weight.max(1).ilog2()).unwrap_or(0).min(MAX_SAMPLED);
    visits.retain(|visit| visit.sampled <= most);
    let total: usize = visits.iter().map(cost).sum();
    if total <= budget {
        return visits.into();
    }
    let mut pages: HashMap<u64, usize> = HashMap::new();
    for visit in &visits {
        *pages.entry(visit.page.page).or_default() += cost(visit);
    }
    // By how many halvings a page comes below a limit that is itself halved until all fits.
    let halvings = |bytes: usize, limit: usize| {
        let over = bytes.div_ceil(limit.max(1)).max(1);
        (usize::BITS - (over - 1).leading_zeros()).min(u32::from(most)) as u8
    };
    let mut limit = total;
    while limit > 1 && pages.values().map(|bytes| bytes >> halvings(*bytes, limit)).sum::<usize>() > budget {
        limit /= 2;
    }
    let chosen = |visit: &VisitEvidence| {
        let bytes = pages.get(&visit.page.page).copied().unwrap_or_default();
        let target = halvings(bytes, limit).saturating_add(visit.sampled).min(most);
        let skipped = visit.lot() >> visit.sampled;
        (skipped & ((1 << (target - visit.sampled)) - 1) == 0).then_some(target)
    };
    let kept = visits.into_iter().filter_map(|visit| chosen(&visit).map(|sampled| VisitEvidence { sampled, ..visit }));
    kept.collect()
}

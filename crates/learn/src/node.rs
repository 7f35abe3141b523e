//! Evidence about one page, template or section.

use crate::decay::Epoch;
use crate::edge::{Edge, Hit};
use crate::level::Level;
use crate::networks::Networks;
use crate::timeline::Timeline;
use crate::tombstone::Tombstone;
use crate::witnesses::{Shift, Witness, Witnesses};

/// Evidence on one level of a page.
///
/// It holds whole numbers that are only added up, sets that are only united, earliest and latest
/// times: merging two nodes of one name is exact, commutative and associative. What decays, what
/// counts since when, and what inherits from what is decided when a plan is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Keyed hash of the name.
    pub(crate) key: u64,
    pub(crate) site: u16,
    pub(crate) level: Level,
    /// The landmark of all sums.
    pub(crate) epoch: Epoch,
    /// N: the visits that count, by time.
    pub(crate) visits: Timeline,
    /// Visits that counted, without decay.
    pub(crate) count: u32,
    pub(crate) networks: Networks,
    pub(crate) witnesses: Witnesses,
    pub(crate) edges: Vec<Edge>,
    /// The name, once enough networks have been seen.
    pub(crate) name: Option<Box<str>>,
    /// It looks as if it was made for one person.
    pub(crate) personal: bool,
    /// It has been visited with a query; without one it is then a page of its own.
    pub(crate) queried: bool,
    /// Not all that was fetched found room: an asset without an edge may have been fetched all the same.
    pub(crate) full: bool,
    pub(crate) tombstone: Tombstone,
    /// The first visit, in seconds.
    pub(crate) first: u32,
    /// The last visit, in seconds.
    pub(crate) last: u32,
    /// Visits since the plan was last built.
    pub(crate) unpublished: u32,
    /// The count of asset fates when the edges were last put in order.
    pub(crate) fates: u32,
}

/// The evidence of one visit on one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// It was asked for, and no hint had caused that.
    Fetched(Hit),
    /// It was not asked for, or would have been in any case.
    Mute,
}

/// A visit as a node takes it in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visited {
    pub(crate) second: u32,
    pub(crate) epoch: Epoch,
    /// The amount that it adds to sums; 0 if it is positive evidence only.
    pub(crate) gain: u32,
    /// How many visits it stands for, without decay.
    pub(crate) weight: u32,
    /// Keyed hash of the network.
    pub(crate) network: u64,
    /// If it is to be remembered.
    pub(crate) witness: Option<Witness>,
}

/// What a counted visit adds to the edges of its node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    gain: u32,
    /// Of its witness; 0 if it has none.
    bit: u32,
}

impl Counted {
    /// Whether it is remembered.
    pub(crate) fn is_witness(self) -> bool {
        self.bit != 0
    }
}

/// While an asset of a page was fetched no more often than this, each fetch may put it into the plan.
const FEW_FETCHES: u64 = 8;

impl Node {
    pub(crate) fn new(key: u64, site: u16, level: Level, epoch: Epoch, fates: u32) -> Self {
        Self {
            key,
            site,
            level,
            epoch,
            visits: Timeline::default(),
            count: 0,
            networks: Networks::default(),
            witnesses: Witnesses::default(),
            edges: Vec::new(),
            name: None,
            personal: false,
            queried: false,
            full: false,
            tombstone: Tombstone::default(),
            first: u32::MAX,
            last: 0,
            unpublished: 0,
            fates,
        }
    }

    /// Moves to a later landmark: sums begin again. An earlier one changes nothing.
    pub(crate) fn rebase(&mut self, epoch: Epoch) {
        if epoch <= self.epoch {
            return;
        }
        self.epoch = epoch;
        self.visits = Timeline::default();
        for edge in &mut self.edges {
            edge.hits = 0;
            edge.mute = 0;
        }
    }

    /// Counts a visit. Says what it adds to the edges.
    pub(crate) fn count(&mut self, visit: &Visited) -> Counted {
        self.rebase(visit.epoch);
        // One of before the landmark counts only as a witness.
        if visit.gain > 0 && visit.epoch == self.epoch {
            self.visits.add(visit.second, visit.gain);
        }
        self.count = self.count.saturating_add(visit.weight);
        self.unpublished = self.unpublished.saturating_add(visit.weight);
        self.networks.add(visit.network, self.key);
        self.first = self.first.min(visit.second);
        self.last = self.last.max(visit.second);
        let gain = if visit.epoch == self.epoch { visit.gain } else { 0 };
        let shift = visit.witness.and_then(|witness| self.witnesses.add(witness, !self.level.is_page()));
        let Some(shift) = shift else { return Counted { gain, bit: 0 } };
        self.shift(shift);
        Counted { gain, bit: 1 << shift.at }
    }

    /// Takes in what a counted visit says of the asset of the edge at `at`, whose hash is `hash`. Whether that may put it into
    /// the plan at once: it has passed the gate of so many networks, or is young.
    #[inline]
    pub(crate) fn record(
        &mut self,
        at: usize,
        hash: u64,
        evidence: Evidence,
        (visit, counted, needed): (&Visited, Counted, u32),
    ) -> bool {
        let key = self.key;
        let Some(edge) = self.edges.get_mut(at) else { return false };
        match evidence {
            Evidence::Fetched(hit) => {
                edge.hits = edge.hits.saturating_add(counted.gain);
                edge.fetched_by |= counted.bit;
                edge.birth = edge.birth.min(visit.second);
                let before = edge.networks;
                edge.networks.add(visit.network, hash ^ key);
                edge.order.add(hit, visit.weight);
                edge.manner.add(hit, visit.weight);
                edge.order.fetches() <= FEW_FETCHES
                    || (edge.networks != before && before.at_least() < needed && edge.networks.at_least() >= needed)
            }
            Evidence::Mute => {
                edge.mute = edge.mute.saturating_add(counted.gain);
                edge.muted_by |= counted.bit;
                false
            }
        }
    }

    /// Takes in all that another node of the same name knows, but not its edges: see [`absorb_edge`](Self::absorb_edge).
    /// Says for each witness which bit it has had in either.
    pub(crate) fn absorb(&mut self, other: &Self) -> Vec<(Option<usize>, Option<usize>)> {
        self.rebase(other.epoch);
        if other.epoch == self.epoch {
            self.visits.merge(&other.visits);
        }
        self.count = self.count.saturating_add(other.count);
        self.networks.merge(other.networks);
        self.name = self.name.take().or_else(|| other.name.clone());
        self.personal |= other.personal;
        self.queried |= other.queried;
        self.full |= other.full;
        self.tombstone.merge(other.tombstone);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        let bits = self.witnesses.merge(&other.witnesses, !self.level.is_page());
        for edge in &mut self.edges {
            edge.fetched_by = moved(edge.fetched_by, bits.iter().map(|bits| bits.0));
            edge.muted_by = moved(edge.muted_by, bits.iter().map(|bits| bits.0));
        }
        bits
    }

    /// Takes in an edge of a node that was absorbed into the edge at `at`.
    pub(crate) fn absorb_edge(
        &mut self,
        at: usize,
        other: &Edge,
        epoch: Epoch,
        bits: &[(Option<usize>, Option<usize>)],
    ) {
        let same_landmark = epoch == self.epoch;
        let Some(edge) = self.edges.get_mut(at) else { return };
        let mut added = *other;
        if !same_landmark {
            (added.hits, added.mute) = (0, 0);
        }
        edge.absorb(&added);
        edge.fetched_by |= moved(other.fetched_by, bits.iter().map(|bits| bits.1));
        edge.muted_by |= moved(other.muted_by, bits.iter().map(|bits| bits.1));
    }

    /// The index of the edge to this asset: `guess`, or found in O(e) by a scan of a few cache lines.
    pub(crate) fn place_of(&self, asset: u32, guess: usize) -> Option<usize> {
        if self.edges.get(guess).is_some_and(|edge| edge.asset == asset) {
            return Some(guess);
        }
        self.edges.iter().position(|edge| edge.asset == asset)
    }

    /// The index of the edge with the least evidence: two scans, of which the second counts bits of few edges only.
    pub(crate) fn lightest(&self) -> Option<usize> {
        let least = self.edges.iter().map(|edge| edge.hits).min()?;
        let edges = self.edges.iter().enumerate().filter(|(_, edge)| edge.hits == least);
        edges.min_by_key(|(_, edge)| (edge.fetched_by.count_ones(), edge.order.fetches())).map(|(at, _)| at)
    }

    /// Adds an edge, growing by a quarter: memory is dearer here than time.
    pub(crate) fn push(&mut self, edge: Edge) {
        if self.edges.len() == self.edges.capacity() {
            self.edges.reserve_exact((self.edges.len() / 4).max(2));
        }
        self.edges.push(edge);
    }

    /// Whether it is known from so few visits that each may change what is planned.
    pub(crate) fn is_young(&self) -> bool {
        self.count < 64
    }

    /// Whether it stands for many pages: a section, a template, a path with several queries.
    pub(crate) fn is_of_many(&self) -> bool {
        !self.level.is_page() || self.queried
    }

    /// Since when it answers no longer.
    pub(crate) fn is_gone(&self, networks: u32) -> bool {
        self.tombstone.since(self.last.saturating_add(1), networks).is_some()
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.edges.capacity() * size_of::<Edge>()
            + self.name.as_ref().map_or(0, |name| name.len())
            + self.visits.bytes()
            + self.witnesses.bytes()
    }

    fn shift(&mut self, shift: Shift) {
        let moved = shift.on_words();
        for edge in &mut self.edges {
            edge.fetched_by = moved(edge.fetched_by);
            edge.muted_by = moved(edge.muted_by);
        }
    }
}

/// A word of bits of which the n-th comes from where `places` says.
fn moved(word: u32, places: impl Iterator<Item = Option<usize>>) -> u32 {
    places.enumerate().fold(0, |sum, (to, from)| sum | from.map_or(0, |from| word >> from & 1) << to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::ClientClass;
    use crate::witnesses::Scope;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    struct Step {
        second: u32,
        tag: u64,
        assets: u8,
        mute: u8,
        scope: Scope,
        network: u64,
    }

    fn step() -> impl Strategy<Value = Step> {
        let scope = prop_oneof![Just(Scope::Full), Just(Scope::Assisted), Just(Scope::PositiveOnly)];
        (prop_oneof![0u32..60, 0u32..2_000_000], any::<u64>(), 0u8..32, 0u8..32, scope, 0u64..6)
            .prop_map(|(second, tag, assets, mute, scope, network)| Step { second, tag, assets, mute, scope, network })
    }

    fn apply(node: &mut Node, step: &Step) {
        let witness = Witness::new(step.second, (step.tag, step.tag as u32), step.scope, ClientClass::Other);
        let epoch = step.second / 700_000;
        let gain = if step.scope == Scope::PositiveOnly { 0 } else { 16 };
        let visit =
            Visited { second: step.second, epoch, gain, weight: 1, network: step.network * 77, witness: Some(witness) };
        let counted = node.count(&visit);
        for asset in 0..5u32 {
            let fetched = step.assets >> asset & 1 == 1;
            if !fetched && step.mute >> asset & 1 == 0 {
                continue;
            }
            let at = node.place_of(asset, asset as usize).unwrap_or_else(|| {
                node.push(Edge::new(asset, step.second));
                node.edges.len() - 1
            });
            let hit = Hit { rank: asset as u16, late: step.mute & 1 == 1, urgency: Some(asset as u8) };
            let evidence = if fetched { Evidence::Fetched(hit) } else { Evidence::Mute };
            node.record(at, u64::from(asset), evidence, (&visit, counted, 3));
        }
    }

    /// Without what is kept for speed, with edges in one order.
    fn canonical(mut node: Node) -> Node {
        node.edges.sort_by_key(|edge| edge.asset);
        node.edges.shrink_to_fit();
        node.visits.coarsen();
        node.unpublished = 0;
        node
    }

    fn of(steps: &[Step], level: Level) -> Node {
        let mut node = Node::new(7, 0, level, 0, 0);
        for step in steps {
            apply(&mut node, step);
        }
        canonical(node)
    }

    fn sum(a: &Node, b: &Node) -> Node {
        let mut sum = a.clone();
        let bits = sum.absorb(b);
        for edge in &b.edges {
            let at = sum.place_of(edge.asset, 0).unwrap_or_else(|| {
                sum.push(Edge::new(edge.asset, edge.birth));
                sum.edges.len() - 1
            });
            sum.absorb_edge(at, edge, b.epoch, &bits);
        }
        canonical(sum)
    }

    proptest! {
        #[test]
        fn merging_is_exact_commutative_and_associative(
            a in prop::collection::vec(step(), 0..50),
            b in prop::collection::vec(step(), 0..50),
            c in prop::collection::vec(step(), 0..20),
            level in prop_oneof![Just(Level::Page), Just(Level::Template)],
        ) {
            let of = |steps: &[Step]| of(steps, level);
            let (x, y, z) = (of(&a), of(&b), of(&c));
            prop_assert_eq!(sum(&x, &y), sum(&y, &x));
            prop_assert_eq!(sum(&sum(&x, &y), &z), sum(&x, &sum(&y, &z)));
            prop_assert_eq!(sum(&x, &of(&[])), x);
        }
    }

    #[test]
    fn growth_is_by_a_quarter() {
        let mut node = Node::new(1, 0, Level::Page, 0, 0);
        for asset in 0..1000 {
            node.push(Edge::new(asset, 0));
            let (len, capacity) = (node.edges.len(), node.edges.capacity());
            assert!(capacity <= len + (len / 4).max(2), "{len} {capacity}");
        }
    }
}

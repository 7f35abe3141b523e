//! The evidence of one visit, with hashes in the place of names: the same here and on every server that learns it.

use crate::clock::Tick;
use crate::node::Evidence;
use crate::observation::ClientClass;
use crate::site::Site;
use crate::witnesses::Scope;

/// The evidence of one visit that counted.
///
/// Sums are made of it by whoever takes it in, so that a server with other limits, or one that knows the vote already,
/// comes to its own result.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts about a visit, independent of each other")]
pub(crate) struct VisitEvidence {
    pub(crate) site: Site,
    pub(crate) page: PageKeys,
    /// Keyed hash of the network.
    pub(crate) network: u64,
    /// Whether the network has seen the page helped, unhelped or held out: it has a vote of each kind.
    pub(crate) kind: u8,
    pub(crate) opened: Tick,
    /// Tells visits of one page and second apart.
    pub(crate) tag: u32,
    pub(crate) class: ClientClass,
    pub(crate) scope: Scope,
    /// Whether the visit is remembered one by one.
    pub(crate) is_witness: bool,
    pub(crate) personal: bool,
    /// The page was asked for with a query.
    pub(crate) queried: bool,
    pub(crate) held_out: bool,
    /// For how many visits it counts, by the chance of its draw.
    pub(crate) share: f32,
    /// It stands for 2 to the power of this many visits, of which the others were not sent.
    pub(crate) sampled: u8,
    /// In the order of the visit; empty unless it is to be sent.
    pub(crate) items: Vec<Item>,
}

/// The keyed hashes under which a page is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PageKeys {
    /// The finest of them.
    pub(crate) page: u64,
    pub(crate) path: u64,
    pub(crate) section: u64,
    pub(crate) template: Option<u64>,
    pub(crate) query: Option<u64>,
}

/// The evidence of a visit on one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Keyed hash of the path.
    pub(crate) asset: u64,
    /// Keyed hash of the path without its fingerprint; 0 without one.
    pub(crate) stem: u64,
    pub(crate) evidence: Evidence,
}

impl VisitEvidence {
    /// How many visits it stands for.
    pub(crate) fn weight(&self) -> u32 {
        1 << self.sampled.min(MAX_SAMPLED)
    }

    /// A number by which visits are chosen, of which nobody without the key knows anything beforehand.
    pub(crate) fn lot(&self) -> u64 {
        (self.network ^ self.page.page ^ u64::from(self.tag) << 20 ^ self.opened.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            >> 32
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.items.capacity() * size_of::<Item>()
    }
}

/// At most one visit in 2 to the power of this is sent.
pub(crate) const MAX_SAMPLED: u8 = 12;

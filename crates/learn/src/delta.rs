//! Evidence since a mark as bytes: what one server of a fleet sends to the others.
//!
//! Numbers are LEB128 (7 bits a byte, the lowest first), hashes are u64 in little-endian.
//!
//! ```text
//! version u8 1 | fingerprint of the key u64 | half-life in ms | learner's time in ms
//! number of sites, for each: length, authority
//! number of assets, for each: site, flags u8 (1 stem, 2 named, 4 personal, 8 cors, 16 fresh, 32 immutable),
//!   hash u64, stem u64 if there is one; if named: destination u8, bytes, validator u64, length, path
//! number of pages, for each: site, flags u8 (1 template, 2 query, 4 named), key u64, key of the path u64 if it is
//!   another, section u64, template u64 and query u64 if there are such; if named: length, path
//! number of networks, for each: keyed hash u64
//! number of visits, for each: page, network, age in ms, flags u16 (2 bits kind of vote, 2 scope, then witness, phone,
//!   personal, queried, held out; from bit 12 the logarithm of what it stands for), tag u32 if it is a witness,
//!   share f32 if it was held out, number of items, for each:
//!     asset as its distance from the one after the last (twice it, and one if it lies before), flags u8 (1 fetched, 2 late, 4 with an urgency, 8 ranked next,
//!     the urgency from bit 4); if fetched: its rank unless it is the next
//! number of answers that something is gone, for each: key u64, age in seconds, tag u16
//! ```
//!
//! A name is there only if it has passed the network gate, and once an hour.

mod reading;
mod writing;

use std::collections::{HashMap, HashSet};

pub(crate) use self::reading::{read, read_head};
pub(crate) use self::writing::write;
use crate::accumulator::Gone;
use crate::clock::Tick;
use crate::metadata::Metadata;
use crate::told::Told;
use crate::visit_evidence::VisitEvidence;

const VERSION: u8 = 1;

const STEM: u8 = 1;
const NAMED: u8 = 2;
const PERSONAL: u8 = 4;
const CORS: u8 = 8;
const FRESH: u8 = 16;
const IMMUTABLE: u8 = 32;

const TEMPLATE: u8 = 1;
const QUERY: u8 = 2;
const NAMED_PAGE: u8 = 4;
const OTHER_PATH: u8 = 8;

const FETCHED: u8 = 1;
const LATE: u8 = 2;
const URGENT: u8 = 4;
const NEXT: u8 = 8;

/// The header before the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Of the key.
    pub(crate) fingerprint: u64,
    pub(crate) half_life: u64,
    /// Learner's time of the sender.
    pub(crate) tick: Tick,
}

/// The evidence to send.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) visits: Vec<VisitEvidence>,
    pub(crate) gone: Vec<Gone>,
    pub(crate) assets: HashMap<u64, Told>,
    /// Names of pages by the keyed hash of their path.
    pub(crate) pages: HashMap<u64, Box<str>>,
}

/// The name of an asset that has passed the gate at the sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedAsset<'a> {
    pub(crate) path: &'a str,
    pub(crate) metadata: Metadata,
}

/// The names of one delta by keyed hash.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    assets: HashMap<u64, NamedAsset<'a>>,
    pages: HashMap<u64, &'a str>,
    personal: HashSet<u64>,
}

/// A delta whose every part is sound.
#[derive(Debug)]
pub(crate) struct Delta<'a> {
    pub(crate) visits: Vec<VisitEvidence>,
    pub(crate) gone: Vec<Gone>,
    pub(crate) names: Names<'a>,
    /// Visits to sites that have no room here.
    pub(crate) homeless: usize,
}

impl<'a> Names<'a> {
    pub(crate) fn page(&self, path: u64) -> Option<&'a str> {
        self.pages.get(&path).copied()
    }

    pub(crate) fn is_personal(&self, asset: u64) -> bool {
        self.personal.contains(&asset)
    }

    pub(crate) fn assets(&self) -> impl Iterator<Item = (u64, &NamedAsset<'a>)> {
        self.assets.iter().map(|(hash, named)| (*hash, named))
    }
}

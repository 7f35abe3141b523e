//! What was measured: loads by page, thinking time, server and round.

use std::collections::BTreeMap;

use crate::page_load::contest::Way;
use crate::page_load::lane::Measured;
use crate::page_load::notes::Notes;

/// A server, and what the client lets it do.
pub(super) type Server = (&'static str, Way);

/// The loads of one page, of servers that think so long over it.
#[derive(Debug)]
pub(super) struct Loads {
    pub(super) shape: String,
    pub(super) kind: String,
    pub(super) think: u64,
    /// The name of the link.
    pub(super) link: &'static str,
    /// Bytes of the page and of all that it needs, and of what it is drawn with.
    pub(super) bytes: usize,
    pub(super) critical_bytes: usize,
    /// By round.
    pub(super) cold: BTreeMap<Server, BTreeMap<usize, Measured>>,
    /// A second visit that holds all that may be held.
    pub(super) returning: BTreeMap<Server, Measured>,
}

/// All that was measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// By page, then by thinking time.
    pub(super) loads: Vec<Loads>,
    pub(super) notes: Notes,
}

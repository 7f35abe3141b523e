//! The open visits, and to which of them a request belongs.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use crate::clock::Tick;
use crate::observation::{Referrer, Visit};
use crate::slab::Slab;
use crate::visit::OpenVisit;

/// Most open visits of one client; the oldest closes.
pub(crate) const MAX_PER_CLIENT: usize = 8;

/// What an open visit costs besides its own heap: its places in the tables.
const OVERHEAD: usize = size_of::<Option<Entry>>() + 240;

/// The open visits. Methods that close visits push them to `closed`, oldest first.
#[derive(Debug)]
pub(crate) struct Visits {
    open: Slab<Entry>,
    by_client: HashMap<u64, Vec<u32>, FixedState>,
    by_connection: HashMap<u64, Vec<u32>, FixedState>,
    /// By the time of opening; entries of visits that have closed are skipped.
    queue: VecDeque<Visit>,
    window: u64,
    budget: usize,
    /// Bytes of heap of the open visits.
    bytes: usize,
    generation: u32,
}

#[derive(Debug)]
struct Entry {
    generation: u32,
    visit: OpenVisit,
}

/// Visits that have closed and wait to be learned.
pub(crate) type Closed = Vec<OpenVisit>;

impl Visits {
    /// `window` in milliseconds; when the visits need more than `budget` bytes the oldest close.
    pub(crate) fn new(window: u64, budget: usize, seed: u64) -> Self {
        let state = FixedState::with_seed(seed);
        Self {
            open: Slab::new(),
            by_client: HashMap::with_hasher(state.clone()),
            by_connection: HashMap::with_hasher(state),
            queue: VecDeque::new(),
            window,
            budget,
            bytes: 0,
            generation: 0,
        }
    }

    /// Opens a visit, after closing those that it ends.
    pub(crate) fn open(&mut self, visit: OpenVisit, closed: &mut Closed) -> Visit {
        self.advance(visit.opened, closed);
        self.close_ended_by(&visit, closed);
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let (client, connection) = (visit.client, visit.connection);
        self.bytes += visit.bytes() + OVERHEAD;
        let slot = self.open.insert(Entry { generation, visit });
        self.by_client.entry(client).or_default().push(slot);
        self.by_connection.entry(connection).or_default().push(slot);
        let handle = Visit { slot, generation };
        self.queue.push_back(handle);
        self.shrink(closed);
        handle
    }

    /// The visit behind a handle, if it is still open.
    pub(crate) fn get(&self, handle: Visit) -> Option<&OpenVisit> {
        let entry = self.open.get(handle.slot)?;
        (entry.generation == handle.generation).then_some(&entry.visit)
    }

    /// Changes a visit that is still open.
    pub(crate) fn update(&mut self, handle: Visit, change: impl FnOnce(&mut OpenVisit)) {
        let Some(entry) = self.open.get_mut(handle.slot) else { return };
        if entry.generation == handle.generation {
            let before = entry.visit.bytes();
            change(&mut entry.visit);
            self.bytes = self.bytes + entry.visit.bytes() - before;
        }
    }

    /// Takes a visit out.
    pub(crate) fn remove(&mut self, handle: Visit) -> Option<OpenVisit> {
        self.get(handle)?;
        let visit = self.open.remove(handle.slot)?.visit;
        self.bytes -= visit.bytes() + OVERHEAD;
        unlink(&mut self.by_client, visit.client, handle.slot);
        if visit.connected {
            unlink(&mut self.by_connection, visit.connection, handle.slot);
        }
        Some(visit)
    }

    /// The visit that a request belongs to. `hash` gives the keyed hash of a path of the site.
    pub(crate) fn attribute(
        &self,
        site: u16,
        referrer: Referrer<'_>,
        (client, connection): (u64, u64),
        hash: impl Fn(&str) -> u64,
    ) -> Option<Visit> {
        let of_site = |visit: &(Visit, &OpenVisit)| visit.1.site.index == site;
        if let Referrer::Path(path) = referrer {
            let path_hash = hash(path);
            let mine = || self.latest_first(&self.by_client, client).filter(of_site);
            let found = mine()
                .find(|(_, visit)| visit.page == path_hash)
                .or_else(|| mine().find(|(_, visit)| visit.is_parent(path_hash)));
            // `/` without a visit of `/` may be a page that gives away only its origin.
            if found.is_some() || path != "/" {
                return found.map(|(handle, _)| handle);
            }
        }
        let mut here = self.latest_first(&self.by_connection, connection);
        here.find(of_site).map(|(handle, _)| handle)
    }

    /// Closes the visits whose window has passed.
    pub(crate) fn advance(&mut self, now: Tick, closed: &mut Closed) {
        while let Some(&handle) = self.queue.front() {
            match self.get(handle) {
                Some(visit) if now.0.saturating_sub(visit.opened.0) < self.window => break,
                _ => {
                    self.queue.pop_front();
                    closed.extend(self.remove(handle));
                }
            }
        }
    }

    /// Closes every visit.
    pub(crate) fn finish(&mut self, closed: &mut Closed) {
        closed.reserve(self.open.len());
        while let Some(handle) = self.queue.pop_front() {
            closed.extend(self.remove(handle));
        }
    }

    /// Marks the visits of a connection as having lost it.
    pub(crate) fn disconnect(&mut self, connection: u64) {
        for slot in self.by_connection.remove(&connection).unwrap_or_default() {
            if let Some(entry) = self.open.get_mut(slot) {
                entry.visit.connected = false;
            }
        }
    }

    /// Number of open visits.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.queue.capacity() * size_of::<Visit>()
    }

    /// A new navigation ends the visits of its connection, of its client to the
    /// same page, and of its client on connections that are gone.
    fn close_ended_by(&mut self, next: &OpenVisit, closed: &mut Closed) {
        let mut ended: Vec<Visit> = Vec::new();
        ended.extend(self.latest_first(&self.by_connection, next.connection).map(|(h, _)| h));
        let mut kept = 0;
        for (handle, visit) in self.latest_first(&self.by_client, next.client) {
            let same_page = visit.page == next.page && visit.site == next.site;
            kept += 1;
            if (same_page || !visit.connected || kept >= MAX_PER_CLIENT) && !ended.contains(&handle) {
                ended.push(handle);
            }
        }
        for handle in ended.into_iter().rev() {
            closed.extend(self.remove(handle));
        }
    }

    /// Closes the oldest visits while there are too many bytes, and drops stale queue entries.
    pub(crate) fn shrink(&mut self, closed: &mut Closed) {
        while self.bytes() > self.budget && self.open.len() > 1 {
            let Some(handle) = self.queue.pop_front() else { break };
            closed.extend(self.remove(handle));
        }
        if self.queue.len() > 2 * self.open.len() + 64 {
            let open = &self.open;
            self.queue.retain(|h| open.get(h.slot).is_some_and(|e| e.generation == h.generation));
        }
    }

    fn latest_first<'a>(
        &'a self,
        index: &'a HashMap<u64, Vec<u32>, FixedState>,
        key: u64,
    ) -> impl Iterator<Item = (Visit, &'a OpenVisit)> {
        let slots = index.get(&key).map(Vec::as_slice).unwrap_or_default();
        slots.iter().rev().filter_map(|&slot| {
            let entry = self.open.get(slot)?;
            Some((Visit { slot, generation: entry.generation }, &entry.visit))
        })
    }
}

fn unlink(index: &mut HashMap<u64, Vec<u32>, FixedState>, key: u64, slot: u32) {
    if let Some(slots) = index.get_mut(&key) {
        slots.retain(|other| *other != slot);
        if slots.is_empty() {
            index.remove(&key);
        }
    }
}

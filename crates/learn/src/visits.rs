//! The open visits.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use crate::clock::Tick;
use crate::observation::Visit;
use crate::slab::Slab;
use crate::slots::Slots;
use crate::visit::OpenVisit;

/// Most open visits of one client; the oldest closes.
pub(crate) const MAX_PER_CLIENT: usize = 8;

/// A visit closes when so many milliseconds have passed since its last byte.
const CLOSES_AFTER: u64 = 4_000;

/// Bytes that an open visit costs besides its own heap: its places in the tables.
const OVERHEAD: usize = size_of::<Option<Entry>>() + 256;

/// The open visits. Methods that close visits push them to `closed`, oldest first.
#[derive(Debug)]
pub(crate) struct Visits {
    open: Slab<Entry>,
    by_client: Index,
    by_connection: Index,
    /// By the time of opening; entries of visits that have closed are skipped.
    queue: VecDeque<Visit>,
    /// When to look whether a visit has been quiet for long enough, in order.
    quiet: VecDeque<(Tick, Visit)>,
    window: u64,
    budget: usize,
    /// Bytes of heap of the open visits.
    bytes: usize,
    generation: u32,
}

type Index = HashMap<u64, Slots, FixedState>;

#[derive(Debug)]
struct Entry {
    generation: u32,
    /// Whether it is in the queue of quiet visits.
    watched: bool,
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
            quiet: VecDeque::new(),
            window,
            budget,
            bytes: 0,
            generation: 0,
        }
    }

    /// Opens a visit, after closing those that it ends.
    pub(crate) fn open(&mut self, mut visit: OpenVisit, closed: &mut Closed) -> Visit {
        self.advance(visit.opened, closed);
        self.close_ended_by(&mut visit, closed);
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let (client, connection) = (visit.client, visit.connection);
        self.bytes += visit.bytes() + OVERHEAD;
        let slot = self.open.insert(Entry { generation, watched: false, visit });
        link(&mut self.by_client, client, slot);
        if let Some(connection) = connection {
            link(&mut self.by_connection, connection, slot);
        }
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
    pub(crate) fn update<T>(&mut self, handle: Visit, change: impl FnOnce(&mut OpenVisit) -> T) -> Option<T> {
        let entry = self.open.get_mut(handle.slot).filter(|entry| entry.generation == handle.generation)?;
        let before = entry.visit.bytes();
        let result = change(&mut entry.visit);
        self.bytes = self.bytes + entry.visit.bytes() - before;
        if !entry.watched
            && let Some(since) = entry.visit.quiet_since()
        {
            entry.watched = true;
            self.watch(Tick(since.0.saturating_add(CLOSES_AFTER)), handle);
        }
        Some(result)
    }

    /// Takes a visit out.
    pub(crate) fn remove(&mut self, handle: Visit) -> Option<OpenVisit> {
        let mut closed = Closed::new();
        self.close_one(handle, &mut closed);
        closed.pop()
    }

    /// Takes a visit out for it to be learned.
    fn close_one(&mut self, handle: Visit, closed: &mut Closed) {
        if self.get(handle).is_none() || !self.open.move_to(handle.slot, closed, |entry| entry.visit) {
            return;
        }
        let Some(visit) = closed.last() else { return };
        self.bytes -= visit.bytes() + OVERHEAD;
        unlink(&mut self.by_client, visit.client, handle.slot);
        if let Some(connection) = visit.connection.filter(|_| visit.connected) {
            unlink(&mut self.by_connection, connection, handle.slot);
        }
    }

    /// The open visits of a client, the latest first.
    pub(crate) fn of_client(&self, client: u64) -> impl Iterator<Item = (Visit, &OpenVisit)> {
        self.latest_first(&self.by_client, Some(client))
    }

    /// The open visits of a connection, the latest first; of none there are none.
    pub(crate) fn of_connection(&self, connection: Option<u64>) -> impl Iterator<Item = (Visit, &OpenVisit)> {
        self.latest_first(&self.by_connection, connection)
    }

    /// Closes the visits that have been quiet for long enough or whose window has passed.
    pub(crate) fn advance(&mut self, now: Tick, closed: &mut Closed) {
        while let Some(&(due, handle)) = self.quiet.front() {
            if due > now {
                break;
            }
            self.quiet.pop_front();
            let Some(entry) = self.open.get_mut(handle.slot).filter(|entry| entry.generation == handle.generation)
            else {
                continue;
            };
            entry.watched = false;
            let due = entry.visit.quiet_since().map(|since| Tick(since.0.saturating_add(CLOSES_AFTER)));
            match due {
                Some(due) if due <= now => self.close_one(handle, closed),
                Some(due) => {
                    entry.watched = true;
                    self.watch(due, handle);
                }
                None => {}
            }
        }
        while let Some(&handle) = self.queue.front() {
            match self.get(handle) {
                Some(visit) if now.0.saturating_sub(visit.opened.0) < self.window => break,
                _ => {
                    self.queue.pop_front();
                    self.close_one(handle, closed);
                }
            }
        }
    }

    /// When the first visit may close by itself, or has to be looked at.
    pub(crate) fn next_due(&mut self) -> Option<Tick> {
        let quiet = loop {
            match self.quiet.front() {
                Some((_, handle)) if self.get(*handle).is_none() => self.quiet.pop_front(),
                front => break front.map(|(due, _)| *due),
            };
        };
        let oldest = loop {
            let Some(handle) = self.queue.front() else { break None };
            match self.get(*handle) {
                Some(visit) => break Some(Tick(visit.opened.0.saturating_add(self.window))),
                None => self.queue.pop_front(),
            };
        };
        quiet.into_iter().chain(oldest).min()
    }

    /// Looks at a visit again at `due`. One that asked for more after a pause is due before others that wait already.
    fn watch(&mut self, due: Tick, handle: Visit) {
        let at = self.quiet.partition_point(|(earlier, _)| *earlier <= due);
        self.quiet.insert(at, (due, handle));
    }

    /// Closes so many visits, the oldest.
    pub(crate) fn finish(&mut self, most: usize, closed: &mut Closed) {
        closed.reserve(most.min(self.open.len()));
        while closed.len() < most
            && let Some(handle) = self.queue.pop_front()
        {
            self.close_one(handle, closed);
        }
    }

    /// Closes the visits of a client to a path.
    pub(crate) fn close(&mut self, client: u64, path_hash: u64, closed: &mut Closed) {
        let ended: Vec<Visit> = self
            .of_client(client)
            .filter(|(_, visit)| visit.path_hash == path_hash)
            .map(|(handle, _)| handle)
            .collect();
        for handle in ended.into_iter().rev() {
            self.close_one(handle, closed);
        }
    }

    /// Marks the visits of a connection as having lost it.
    pub(crate) fn disconnect(&mut self, connection: u64) {
        let slots = self.by_connection.remove(&connection);
        for slot in slots.iter().flat_map(Slots::as_slice) {
            if let Some(entry) = self.open.get_mut(*slot) {
                entry.visit.connected = false;
            }
        }
    }

    /// Number of open visits.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether a page has an open visit. O(open visits).
    pub(crate) fn has_page(&self, page: u64) -> bool {
        self.open.iter().any(|(_, entry)| entry.visit.page == page)
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.queue.capacity() * size_of::<Visit>() + self.quiet.capacity() * size_of::<(Tick, Visit)>()
    }

    /// Closes the oldest visits while there are too many bytes, and drops stale queue entries.
    pub(crate) fn shrink(&mut self, closed: &mut Closed) {
        while self.bytes() > self.budget && self.open.len() > 1 {
            let Some(handle) = self.queue.pop_front() else { break };
            self.close_one(handle, closed);
        }
        let open = &self.open;
        let live = |h: &Visit| open.get(h.slot).is_some_and(|e| e.generation == h.generation);
        if self.queue.len() > 2 * open.len() + 64 {
            self.queue.retain(live);
        }
        if self.quiet.len() > 2 * open.len() + 64 {
            self.quiet.retain(|(_, handle)| live(handle));
        }
    }

    /// A new navigation ends the visits of its connection, of its client to the
    /// same page, and of its client on connections that are gone.
    fn close_ended_by(&mut self, next: &mut OpenVisit, closed: &mut Closed) {
        let mut ended: Vec<Visit> = Vec::new();
        for (handle, rival) in self.of_connection(next.connection) {
            ended.push(handle);
            // In two tabs at once, what names no page may belong to either.
            let loads_another = rival.page != next.page && rival.is_loading_at(next.opened);
            if rival.anonymous || (loads_another && !rival.names_itself()) {
                let until = Tick(rival.opened.0.saturating_add(self.window));
                next.contested_until = next.contested_until.max(until);
            }
        }
        let mut kept = 0;
        for (handle, visit) in self.of_client(next.client) {
            let same_page = visit.page == next.page && visit.site == next.site;
            kept += 1;
            if (same_page || !visit.connected || kept >= MAX_PER_CLIENT) && !ended.contains(&handle) {
                ended.push(handle);
            }
        }
        for handle in ended.into_iter().rev() {
            self.close_one(handle, closed);
        }
    }

    fn latest_first<'a>(&'a self, index: &'a Index, key: Option<u64>) -> impl Iterator<Item = (Visit, &'a OpenVisit)> {
        let slots = key.and_then(|key| index.get(&key)).map(Slots::as_slice).unwrap_or_default();
        slots.iter().rev().filter_map(|&slot| {
            let entry = self.open.get(slot)?;
            Some((Visit { slot, generation: entry.generation }, &entry.visit))
        })
    }
}

fn link(index: &mut Index, key: u64, slot: u32) {
    match index.entry(key) {
        Place::Occupied(mut place) => place.get_mut().push(slot),
        Place::Vacant(place) => {
            place.insert(Slots::One(slot));
        }
    }
}

fn unlink(index: &mut Index, key: u64, slot: u32) {
    if let Place::Occupied(mut place) = index.entry(key)
        && place.get_mut().remove(slot)
    {
        place.remove();
    }
}

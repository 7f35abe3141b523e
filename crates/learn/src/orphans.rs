//! Assets whose page was asked for at another server, as a balancer that balances by request makes them.

use crate::clock::Tick;

/// A page that a client asked for is remembered for so long, in minutes.
const PAGES: u32 = 60;
/// A client whose assets came without their page is remembered for so long, in minutes.
const CLIENTS: u32 = 10;
/// The share of orphans is taken over one to two of these, in milliseconds.
const SPAN: u64 = 30 * 60_000;
/// Fewer orphans than this say nothing of a share.
const ENOUGH: u64 = 3;
/// Most clients that others are still to be told of; further ones are known here only.
const MAX_UNTOLD: usize = 256;

/// Requests for assets by whether their page was asked for here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Assets whose request named its page in full.
    pub(crate) assets: u64,
    /// Those of them whose page was asked for elsewhere.
    pub(crate) orphans: u64,
}

impl Tally {
    fn add(&mut self, orphan: bool) {
        self.assets += 1;
        self.orphans += u64::from(orphan);
    }

    /// Whether more than 5 % are orphans.
    fn is_scattered(self, other: Tally) -> bool {
        let (assets, orphans) = (self.assets + other.assets, self.orphans + other.orphans);
        orphans >= ENOUGH && orphans * 20 > assets
    }
}

/// Finds assets whose page was asked for at another server, in tables of fixed size.
///
/// Only a learner that hears others looks for them: alone there is no other server. The views of a client with such assets
/// are seen in parts, so that what is missing on them says nothing, here and at the server that the page was asked of, which
/// is told of the client; while more than 5 % of all assets are orphans, that holds for every view.
///
/// Clients are keyed hashes.
#[derive(Debug)]
pub(crate) struct Orphans {
    /// Client and page of what was asked for here; empty as long as nobody is heard.
    pages: Recent,
    /// Clients with orphans, here or at another server.
    clients: Recent,
    /// Those of them that others are to be told of.
    untold: Vec<u64>,
    all: Tally,
    /// Of the present span and of the one before.
    spans: [Tally; 2],
    span: u64,
}

impl Orphans {
    /// Looks for none.
    pub(crate) fn new() -> Self {
        Self {
            pages: Recent::new(0),
            clients: Recent::new(0),
            untold: Vec::new(),
            all: Tally::default(),
            spans: Default::default(),
            span: 0,
        }
    }

    /// Looks for them from now on, in at most `bytes`.
    pub(crate) fn look(&mut self, bytes: usize) {
        if self.pages.slots.is_empty() {
            self.pages = Recent::new(bytes - bytes / 8);
            self.clients = Recent::new(bytes / 8);
        }
    }

    /// A client has asked for a page here; both are keyed hashes.
    pub(crate) fn asked(&mut self, client: u64, page: u64, now: Tick) {
        self.pages.put(pair(client, page), now);
    }

    /// A client has asked for an asset of a page. `here` tells whether a visit of that page is open here. Whether the asset
    /// is an orphan.
    pub(crate) fn judge(&mut self, client: u64, page: u64, here: bool, now: Tick) -> bool {
        if self.pages.slots.is_empty() {
            return false;
        }
        let orphan = !here && !self.pages.has(pair(client, page), PAGES, now);
        self.all.add(orphan);
        let span = now.0 / SPAN;
        if span > self.span {
            let before = std::mem::take(&mut self.spans[0]);
            self.spans[1] = if span == self.span + 1 { before } else { Tally::default() };
            self.span = span;
        }
        self.spans[0].add(orphan);
        orphan
    }

    /// A client had an orphan here.
    pub(crate) fn found(&mut self, client: u64, now: Tick) {
        // Once a minute is enough for the others.
        if !self.clients.has(client, 0, now) && self.untold.len() < MAX_UNTOLD {
            self.untold.push(client);
        }
        self.clients.put(client, now);
    }

    /// A client had an orphan at another server.
    pub(crate) fn heard(&mut self, client: u64, now: Tick) {
        self.clients.put(client, now);
    }

    /// Takes up to `most` of the clients that had orphans here and that others have not been told of.
    pub(crate) fn take(&mut self, most: usize) -> Vec<u64> {
        self.untold.drain(..most.min(self.untold.len())).collect()
    }

    /// Whether views of this client may be seen here in parts only.
    pub(crate) fn is_scattered(&self, client: impl FnOnce() -> u64, now: Tick) -> bool {
        let [present, before] = self.spans;
        (now.0 / SPAN <= self.span + 1 && present.is_scattered(before))
            || (!self.clients.slots.is_empty() && self.clients.has(client(), CLIENTS, now))
    }

    /// Since the start.
    pub(crate) fn tally(&self) -> Tally {
        self.all
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.pages.bytes() + self.clients.bytes() + self.untold.capacity() * size_of::<u64>()
    }
}

fn pair(client: u64, page: u64) -> u64 {
    client.rotate_left(29) ^ page
}

/// Its bits spread over all of them: callers' numbers of clients need not be hashes.
fn spread(number: u64) -> u64 {
    let number = (number ^ number >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (number ^ number >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// Hashes with the minute in which each was last put: one in each place, the later one stays.
#[derive(Debug)]
struct Recent {
    slots: Box<[(u32, u32)]>,
}

impl Recent {
    /// Rounded down to a power of two.
    fn new(bytes: usize) -> Self {
        let count = bytes / size_of::<(u32, u32)>();
        let count = if count == 0 { 0 } else { 1 << count.ilog2() };
        Self { slots: vec![(0, 0); count].into() }
    }

    fn put(&mut self, hash: u64, now: Tick) {
        let hash = spread(hash);
        let at = self.place(hash);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = ((hash >> 32) as u32, minute(now));
        }
    }

    fn has(&self, hash: u64, minutes: u32, now: Tick) -> bool {
        let hash = spread(hash);
        let slot = self.slots.get(self.place(hash));
        slot.is_some_and(|(tag, at)| {
            *at > 0 && *tag == (hash >> 32) as u32 && minute(now).saturating_sub(*at) <= minutes
        })
    }

    fn place(&self, hash: u64) -> usize {
        hash as usize & self.slots.len().saturating_sub(1)
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }
}

/// From 1 on.
fn minute(now: Tick) -> u32 {
    u32::try_from(now.0 / 60_000).unwrap_or(u32::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn looking() -> Orphans {
        let mut orphans = Orphans::new();
        orphans.look(1 << 16);
        orphans
    }

    #[test]
    fn an_asset_whose_page_was_asked_for_here_within_the_hour_is_none() {
        let mut orphans = looking();
        orphans.asked(7, 1, Tick(0));
        assert!(!orphans.judge(7, 1, false, Tick(59 * MINUTE)));
        assert!(!orphans.is_scattered(|| 7, Tick(59 * MINUTE)));
        assert!(orphans.judge(7, 2, false, Tick(59 * MINUTE)));
        orphans.found(7, Tick(59 * MINUTE));
        assert_eq!(orphans.tally(), Tally { assets: 2, orphans: 1 });
        assert!(orphans.is_scattered(|| 7, Tick(60 * MINUTE)) && !orphans.is_scattered(|| 8, Tick(60 * MINUTE)));
        assert!(!orphans.is_scattered(|| 7, Tick(75 * MINUTE)), "it is forgotten");
    }

    #[test]
    fn above_five_percent_every_view_is_seen_in_parts() {
        let mut orphans = looking();
        let mut play = |share: u64, from: u64| {
            for n in 0..200 {
                orphans.judge(1000 + n, n, n % 100 >= share, Tick(from + n));
            }
            orphans.is_scattered(|| 5, Tick(from + 200))
        };
        assert!(!play(5, 0));
        assert!(play(12, 60 * MINUTE));
        assert!(!play(0, 120 * MINUTE), "it is over");
    }

    #[test]
    fn who_hears_nobody_has_none() {
        let mut orphans = Orphans::new();
        orphans.judge(1, 1, false, Tick(0));
        assert_eq!((orphans.tally(), orphans.bytes()), (Tally::default(), 0));
        assert!(!orphans.is_scattered(|| 1, Tick(0)));
    }
}

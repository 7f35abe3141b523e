//! One visit: a page, who asked for it, and what was fetched and delivered on it.

use crate::clock::Tick;
use crate::metadata::Metadata;
use crate::observation::{ClientClass, Delivery, Draw, Navigation, ReferrerPolicy, SILENCE};
use crate::site::Site;
use crate::stats::REFUSALS;
use crate::time::millis;

/// Longest path with query, in bytes, that is learned.
pub(crate) const MAX_PATH: usize = 512;

/// Most assets that a visit takes in; later ones are not seen.
pub(crate) const MAX_RECORDS: usize = 1024;

/// A visit while it is open. When it closes it is learned, once, and dropped.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts about a visit, independent of each other")]
pub(crate) struct OpenVisit {
    pub(crate) site: Site,
    /// Keyed hash of the page's path and query.
    pub(crate) page: u64,
    /// Keyed hash of its path alone.
    pub(crate) path_hash: u64,
    pub(crate) path: Box<str>,
    /// The query, without what tells no pages apart.
    pub(crate) query: Option<Box<str>>,
    pub(crate) personal: bool,
    pub(crate) class: ClientClass,
    pub(crate) client: u64,
    pub(crate) network: u64,
    pub(crate) connection: Option<u64>,
    pub(crate) connected: bool,
    pub(crate) opened: Tick,
    pub(crate) confirmed: Option<Tick>,
    /// Only fetches are evidence: an asset that is not fetched may be held.
    pub(crate) positive_only: bool,
    pub(crate) draw: Draw,
    pub(crate) records: Vec<Record>,
    /// Whether a request has named the page in full as its Referer.
    pub(crate) named_in_full: bool,
    /// Whether a request was added that names no page.
    pub(crate) anonymous: bool,
    /// Until then requests that name no page may be another visit's.
    pub(crate) contested_until: Tick,
    pub(crate) referrer_policy: ReferrerPolicy,
    /// Assets that may not be learned, by the caller's reason.
    pub(crate) refused: [u8; REFUSALS],
    /// The paths of the records, one after another.
    paths: String,
    fetched: u16,
    transfers: Transfers,
}

/// Transfers for a visit that are under way, as far as the caller tells.
#[derive(Clone, Copy, Debug)]
struct Transfers {
    /// The page and its assets whose last byte has not been delivered.
    open: u32,
    /// The end of the latest.
    last: Tick,
    /// Whether the caller tells of ends at all.
    told: bool,
    /// The page has fallen silent once: all that follows is late.
    silent: bool,
}

/// The record of one asset on a visit.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts about an asset, independent of each other")]
pub(crate) struct Record {
    /// Keyed hash of the path.
    pub(crate) asset: u64,
    start: u32,
    length: u16,
    /// How many assets of the visit were asked for before; `None` if it was not fetched.
    pub(crate) rank: Option<u16>,
    /// Milliseconds between the navigation and the request.
    pub(crate) delay: u32,
    pub(crate) urgency: Option<u8>,
    pub(crate) held: bool,
    pub(crate) hinted: bool,
    pub(crate) pushed: bool,
    /// It was asked for after the page had fallen silent.
    pub(crate) late: bool,
    /// The request named no page.
    pub(crate) nameless: bool,
    /// The metadata of its response, if one with a body was seen.
    pub(crate) metadata: Option<Metadata>,
}

/// A fetch that belongs to a visit.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) asset: u64,
    pub(crate) path: &'a str,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) at: Tick,
    pub(crate) urgency: Option<u8>,
    /// The request names no page.
    pub(crate) nameless: bool,
}

impl OpenVisit {
    /// `page` and `path_hash` are keyed hashes; `query` is without what tells no pages apart.
    pub(crate) fn new(
        navigation: &Navigation<'_>,
        (page, path_hash): (u64, u64),
        query: Option<&str>,
        opened: Tick,
    ) -> Self {
        Self {
            site: navigation.site,
            page,
            path_hash,
            path: navigation.page.path.into(),
            query: query.map(Into::into),
            personal: navigation.page.personal,
            class: navigation.class,
            client: navigation.client.get(),
            network: navigation.network.get(),
            connection: navigation.connection.map(crate::identity::ConnectionId::get),
            connected: true,
            opened,
            confirmed: None,
            positive_only: false,
            draw: Draw::default(),
            records: Vec::new(),
            named_in_full: false,
            anonymous: false,
            contested_until: Tick(0),
            referrer_policy: ReferrerPolicy::Unknown,
            refused: [0; REFUSALS],
            paths: String::new(),
            fetched: 0,
            transfers: Transfers { open: 1, last: opened, told: false, silent: false },
        }
    }

    /// Notes that the asset was asked for.
    pub(crate) fn fetch(&mut self, asked: Asked<'_>) {
        let (rank, opened) = (self.fetched, self.opened);
        let late = self.is_silent_at(asked.at);
        self.transfers.silent |= late;
        self.transfers.open = self.transfers.open.saturating_add(1);
        let Some(record) = self.record(asked.asset, asked.path) else { return };
        record.metadata = asked.metadata.or(record.metadata);
        record.nameless &= asked.nameless;
        if record.rank.is_none() {
            record.rank = Some(rank);
            record.late = late;
            record.nameless = asked.nameless;
            record.delay = u32::try_from(asked.at.0.saturating_sub(opened.0)).unwrap_or(u32::MAX);
            record.urgency = asked.urgency.filter(|urgency| *urgency < 8);
            self.fetched += 1;
        }
    }

    /// Notes that the last byte of the page, or of one of its assets, was delivered.
    pub(crate) fn finished(&mut self, at: Tick) {
        let transfers = &mut self.transfers;
        transfers.open = transfers.open.saturating_sub(1);
        transfers.last = transfers.last.max(at);
        transfers.told = true;
    }

    /// Whether its page has not been answered, or asks for assets yet, as far as the caller tells.
    pub(crate) fn is_loading_at(&self, now: Tick) -> bool {
        let quiet = |since: Tick| now.0.saturating_sub(since.0) > millis(SILENCE);
        self.confirmed.is_none() || (self.transfers.told && !self.quiet_since().is_some_and(quiet))
    }

    /// Whether the requests of its page are known to name it in full.
    pub(crate) fn names_itself(&self) -> bool {
        self.named_in_full || self.referrer_policy == ReferrerPolicy::Full
    }

    /// Takes out what was asked for before the page was answered, named no page, and was not hinted: the page
    /// could not have caused it.
    pub(crate) fn drop_strays(&mut self) {
        let answered = self.confirmed.map_or(0, |tick| tick.0.saturating_sub(self.opened.0));
        for record in &mut self.records {
            if record.nameless && u64::from(record.delay) < answered && !record.hinted {
                record.rank = None;
            }
        }
    }

    /// When the last byte was delivered, if all that was asked for has been.
    pub(crate) fn quiet_since(&self) -> Option<Tick> {
        let Transfers { open, last, told, .. } = self.transfers;
        (told && open == 0).then_some(last)
    }

    /// Notes that the asset reached the client unasked.
    pub(crate) fn deliver(&mut self, asset: u64, path: &str, how: Delivery) {
        if let Some(record) = self.record(asset, path) {
            match how {
                Delivery::Held => record.held = true,
                Delivery::Hinted => record.hinted = true,
                Delivery::Pushed => record.pushed = true,
            }
        }
    }

    /// Whether a request may name this asset of the visit as its Referer: a stylesheet, a script or a frame that was asked
    /// for, or whatever was pushed, of which no request tells what it is.
    pub(crate) fn is_parent(&self, asset: u64) -> bool {
        let parent = |r: &Record| r.metadata.is_some_and(|metadata| metadata.destination.has_children());
        self.records.iter().any(|r| r.asset == asset && (r.pushed || (r.rank.is_some() && parent(r))))
    }

    /// The path of a record of this visit; empty if it was held and never named.
    pub(crate) fn path_of(&self, record: &Record) -> &str {
        let start = record.start as usize;
        self.paths.get(start..start + usize::from(record.length)).unwrap_or_default()
    }

    /// A visit says something only if the client loads assets at all.
    pub(crate) fn counts(&self) -> bool {
        let mut records = self.records.iter();
        self.confirmed.is_some() && records.any(|r| r.rank.is_some() || r.held || (r.pushed && !r.hinted))
    }

    /// Whether anything was sent early on it.
    pub(crate) fn is_assisted(&self) -> bool {
        self.records.iter().any(|record| record.hinted || record.pushed)
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        let query = self.query.as_ref().map_or(0, |query| query.len());
        self.path.len() + query + self.records.capacity() * size_of::<Record>() + self.paths.capacity()
    }

    fn is_silent_at(&self, asked: Tick) -> bool {
        let silence = millis(SILENCE);
        let quiet = self.quiet_since().is_some_and(|last| asked.0.saturating_sub(last.0) > silence);
        self.transfers.silent || quiet
    }

    fn record(&mut self, asset: u64, path: &str) -> Option<&mut Record> {
        let known = self.records.iter().position(|r| r.asset == asset);
        let named = known.and_then(|at| self.records.get(at)).is_some_and(|r| r.length > 0 || path.is_empty());
        if let (Some(at), true) = (known, named) {
            return self.records.get_mut(at);
        }
        if asset == self.page || asset == self.path_hash || path.len() > MAX_PATH {
            return None;
        }
        let (start, length) = (u32::try_from(self.paths.len()).ok()?, u16::try_from(path.len()).ok()?);
        if let Some(at) = known {
            self.paths.push_str(path);
            let record = self.records.get_mut(at)?;
            (record.start, record.length) = (start, length);
            return Some(record);
        }
        if self.records.len() >= MAX_RECORDS {
            return None;
        }
        self.paths.push_str(path);
        self.records.push(Record {
            asset,
            start,
            length,
            rank: None,
            delay: 0,
            urgency: None,
            held: false,
            hinted: false,
            pushed: false,
            late: false,
            nameless: false,
            metadata: None,
        });
        self.records.last_mut()
    }
}

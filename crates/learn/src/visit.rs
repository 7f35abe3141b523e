//! One visit: a page, who asked for it, and what was fetched and delivered on it.

use crate::clock::Tick;
use crate::destination::Destination;
use crate::observation::{Asset, Delivery, Freshness, Navigation, Site};

/// Longest path, in bytes, that is learned.
pub(crate) const MAX_PATH: usize = 512;

/// Most assets that a visit takes in; later ones are not seen.
pub(crate) const MAX_RECORDS: usize = 1024;

/// A visit while it is open. When it closes it is learned, once, and dropped.
#[derive(Debug)]
pub(crate) struct OpenVisit {
    pub(crate) site: Site,
    /// Keyed hash of the page's path.
    pub(crate) page: u64,
    pub(crate) path: Box<str>,
    pub(crate) client: u64,
    pub(crate) network: u64,
    pub(crate) connection: u64,
    pub(crate) connected: bool,
    pub(crate) opened: Tick,
    pub(crate) confirmed: Option<Tick>,
    pub(crate) records: Vec<Record>,
    /// The paths of the records, one after another.
    paths: String,
    fetched: u16,
}

/// What is known of one asset on a visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// Keyed hash of the path.
    pub(crate) asset: u64,
    start: u32,
    length: u16,
    /// How many assets of the visit were asked for before; `None` if it was not fetched.
    pub(crate) rank: Option<u16>,
    pub(crate) held: bool,
    pub(crate) hinted: bool,
    pub(crate) pushed: bool,
    /// What the response said, if one was seen.
    pub(crate) metadata: Metadata,
}

/// What responses say of an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metadata {
    pub(crate) destination: Destination,
    pub(crate) cors: bool,
    pub(crate) freshness: Freshness,
    pub(crate) bytes: u64,
    pub(crate) validator: u64,
}

impl From<&Asset<'_>> for Metadata {
    fn from(asset: &Asset<'_>) -> Self {
        Self {
            destination: asset.destination,
            cors: asset.cors,
            freshness: asset.freshness,
            bytes: asset.bytes,
            validator: asset.validator,
        }
    }
}

impl OpenVisit {
    pub(crate) fn new(navigation: &Navigation<'_>, page: u64, opened: Tick) -> Self {
        Self {
            site: navigation.site,
            page,
            path: navigation.page.into(),
            client: navigation.client.0,
            network: navigation.network.0,
            connection: navigation.connection.0,
            connected: true,
            opened,
            confirmed: None,
            records: Vec::new(),
            paths: String::new(),
            fetched: 0,
        }
    }

    /// Notes that the asset was asked for.
    pub(crate) fn fetch(&mut self, asset: u64, path: &str, metadata: Metadata) {
        let rank = self.fetched;
        if let Some(record) = self.record(asset, path) {
            record.metadata = metadata;
            if record.rank.is_none() {
                record.rank = Some(rank);
                self.fetched += 1;
            }
        }
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

    /// Whether a request may name this asset of the visit as its Referer.
    pub(crate) fn is_parent(&self, asset: u64) -> bool {
        let mut records = self.records.iter();
        records.any(|r| r.asset == asset && r.rank.is_some() && r.metadata.destination.has_children())
    }

    /// The path of a record of this visit.
    pub(crate) fn path_of(&self, record: &Record) -> &str {
        let start = record.start as usize;
        self.paths.get(start..start + usize::from(record.length)).unwrap_or_default()
    }

    /// A visit says something only if the client loads assets at all.
    pub(crate) fn counts(&self) -> bool {
        let mut records = self.records.iter();
        self.confirmed.is_some() && records.any(|r| r.rank.is_some() || r.held || (r.pushed && !r.hinted))
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.path.len() + self.records.capacity() * size_of::<Record>() + self.paths.capacity()
    }

    fn record(&mut self, asset: u64, path: &str) -> Option<&mut Record> {
        if let Some(at) = self.records.iter().position(|r| r.asset == asset) {
            return self.records.get_mut(at);
        }
        if asset == self.page || path.len() > MAX_PATH || self.records.len() >= MAX_RECORDS {
            return None;
        }
        let record = Record {
            asset,
            start: u32::try_from(self.paths.len()).ok()?,
            length: u16::try_from(path.len()).ok()?,
            rank: None,
            held: false,
            hinted: false,
            pushed: false,
            metadata: Metadata::default(),
        };
        self.paths.push_str(path);
        self.records.push(record);
        self.records.last_mut()
    }
}

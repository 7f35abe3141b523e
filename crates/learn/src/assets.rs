//! Every asset that an edge points to, known by the keyed hash of its path.

use crate::directory::{Directory, Shown};
use crate::keymap::KeyMap;
use crate::metadata::Metadata;
use crate::networks::Networks;
use crate::slab::Slab;
use crate::sync::Arc;

/// The number of an asset.
pub(crate) type AssetId = u32;

/// What is known of an asset. Its path only if it is shown.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) hash: u64,
    pub(crate) site: u16,
    /// Keyed hash of the path without its fingerprint; 0 without one.
    pub(crate) stem: u64,
    pub(crate) shown: Option<Arc<Shown>>,
    /// Edges that point here, and renames.
    refs: u32,
    pub(crate) networks: Networks,
    /// First and last fetch, in seconds of learner's time.
    pub(crate) first: u32,
    pub(crate) last: u32,
    fate: Fate,
    /// Another asset of the same stem was fetched on the same visit: no renames here.
    pub(crate) crowded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Gone,
    Live,
    RenamedTo(AssetId),
}

/// The table of assets.
#[derive(Debug)]
pub(crate) struct Assets {
    entries: Slab<Asset>,
    by_hash: KeyMap,
    /// The latest asset of each stem.
    by_stem: KeyMap,
    max: usize,
    shown_bytes: usize,
    shown: usize,
    pub(crate) renamed: u64,
    /// Grows when an asset is gone or renamed: edges may then point to what is not there.
    pub(crate) fates: u32,
}

/// One sighting of an asset on a visit.
pub(crate) struct Sighting<'a> {
    pub(crate) path: &'a str,
    pub(crate) metadata: Option<Metadata>,
    /// Keyed hash of the network.
    pub(crate) network: u64,
    pub(crate) seconds: u32,
}

impl Asset {
    /// Whether the server still has it under this name.
    pub(crate) fn is_live(&self) -> bool {
        self.fate == Fate::Live
    }

    /// An asset first fetched at `seconds`.
    pub(crate) fn new(hash: u64, stem: u64, site: u16, seconds: u32) -> Self {
        Self {
            hash,
            site,
            stem,
            shown: None,
            refs: 0,
            networks: Networks::default(),
            first: seconds,
            last: seconds,
            fate: Fate::Live,
            crowded: false,
        }
    }
}

impl Assets {
    /// What a table entry costs with its places in the two maps, in bytes, at most.
    pub(crate) const ENTRY_BYTES: usize = size_of::<Option<Asset>>() + 2 * 2 * 17;

    /// A table for at most `max` assets.
    pub(crate) fn new(max: usize, seed: u64) -> Self {
        Self {
            entries: Slab::new(),
            by_hash: KeyMap::new(seed),
            by_stem: KeyMap::new(seed),
            max,
            shown_bytes: 0,
            shown: 0,
            renamed: 0,
            fates: 0,
        }
    }

    pub(crate) fn get(&self, id: AssetId) -> Option<&Asset> {
        self.entries.get(id)
    }

    pub(crate) fn find(&self, hash: u64) -> Option<AssetId> {
        self.by_hash.get(hash)
    }

    /// Whether no new asset has room.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.max
    }

    /// Number of assets, and how many of them are shown.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.entries.len(), self.shown)
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.bytes() + self.by_hash.bytes() + self.by_stem.bytes() + self.shown_bytes
    }

    /// One past the highest number ever given out.
    pub(crate) fn end(&self) -> AssetId {
        self.entries.end()
    }

    /// Adds an asset that nothing points to yet; `None` when the table is full.
    pub(crate) fn add(&mut self, asset: Asset) -> Option<AssetId> {
        if self.is_full() {
            return None;
        }
        let (hash, stem) = (asset.hash, asset.stem);
        let id = self.entries.insert(asset);
        self.by_hash.insert(hash, id);
        if stem != 0 && self.by_stem.get(stem).is_none() {
            self.by_stem.insert(stem, id);
        }
        Some(id)
    }

    /// Takes in a fetch: the gate opens when enough networks have been seen.
    pub(crate) fn saw(&mut self, id: AssetId, sighting: &Sighting<'_>, min_networks: u32, directory: &Directory) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.last = entry.last.max(sighting.seconds);
        entry.networks.add(sighting.network, entry.hash);
        let has_stem = entry.stem != 0;
        if entry.shown.is_none()
            && entry.networks.at_least() >= min_networks
            && let Some(metadata) = sighting.metadata
        {
            self.show(id, sighting.path, metadata, directory);
        }
        if has_stem {
            self.follow_rename(id, min_networks, directory);
        }
    }

    /// Lets an asset be shown.
    pub(crate) fn show(&mut self, id: AssetId, path: &str, metadata: Metadata, directory: &Directory) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        if entry.shown.is_none() {
            let shown = Arc::new(Shown::new(entry.hash, path, metadata));
            self.shown += 1;
            self.shown_bytes += shown.bytes();
            directory.insert(Arc::clone(&shown));
            entry.shown = Some(shown);
        }
    }

    /// Takes in what another learner knows of the asset. Whether that is newer.
    pub(crate) fn join(&mut self, id: AssetId, other: &Asset) -> bool {
        let Some(asset) = self.entries.get_mut(id) else { return false };
        let newer = other.last > asset.last;
        asset.networks.merge(other.networks);
        asset.first = asset.first.min(other.first);
        asset.last = asset.last.max(other.last);
        asset.crowded |= other.crowded;
        newer
    }

    pub(crate) fn set_networks(&mut self, id: AssetId, networks: Networks) {
        if let Some(asset) = self.entries.get_mut(id) {
            asset.networks = networks;
        }
    }

    /// Several assets of one stem were fetched on one visit: they live side by side.
    pub(crate) fn crowd(&mut self, stem: u64) {
        let holder = self.by_stem.get(stem).and_then(|id| self.entries.get_mut(id));
        if let Some(holder) = holder {
            holder.crowded = true;
        }
    }

    /// An edge to the asset was added.
    pub(crate) fn retain(&mut self, id: AssetId) -> Option<&Asset> {
        let entry = self.entries.get_mut(id)?;
        entry.refs = entry.refs.saturating_add(1);
        Some(entry)
    }

    /// An edge to the asset was dropped.
    pub(crate) fn release(&mut self, id: AssetId, directory: &Directory) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.refs = entry.refs.saturating_sub(1);
        if entry.refs == 0 {
            self.sweep(id, directory);
        }
    }

    /// Forgets the asset, and those that it was renamed to, if nothing points to it.
    pub(crate) fn sweep(&mut self, id: AssetId, directory: &Directory) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            if self.entries.get(id).is_none_or(|entry| entry.refs > 0) {
                return;
            }
            let Some(entry) = self.entries.remove(id) else { return };
            self.unmap(id, &entry);
            if let Some(shown) = &entry.shown {
                self.shown -= 1;
                self.shown_bytes -= shown.bytes();
                directory.remove(shown);
            }
            if let Fate::RenamedTo(heir) = entry.fate {
                if let Some(heir) = self.entries.get_mut(heir) {
                    heir.refs = heir.refs.saturating_sub(1);
                }
                next = Some(heir);
            }
        }
    }

    /// The server no longer has the asset.
    pub(crate) fn gone(&mut self, hash: u64, directory: &Directory) {
        if let Some(id) = self.by_hash.get(hash) {
            self.retire(id, Fate::Gone, directory);
        }
    }

    /// Where an edge to `id` leads now: itself, what it was renamed to, or nowhere.
    pub(crate) fn resolve(&self, id: AssetId) -> Option<AssetId> {
        let mut at = id;
        // A chain is as long as the deploys since an edge was last touched.
        for _ in 0..64 {
            match self.entries.get(at)?.fate {
                Fate::Gone => return None,
                Fate::Live => return Some(at),
                Fate::RenamedTo(heir) => at = heir,
            }
        }
        None
    }

    /// `id` takes the place of the latest asset of its stem, if that has not been
    /// fetched since `id` appeared and enough networks vouch for `id`.
    pub(crate) fn follow_rename(&mut self, id: AssetId, min_networks: u32, directory: &Directory) {
        let Some(entry) = self.entries.get(id) else { return };
        let (stem, first) = (entry.stem, entry.first);
        if stem == 0 || entry.networks.at_least() < min_networks {
            return;
        }
        let Some(elder) = self.by_stem.get(stem).filter(|elder| *elder != id) else { return };
        let Some(old) = self.entries.get(elder) else { return };
        if !old.crowded && old.last <= first {
            self.retain(id);
            self.retire(elder, Fate::RenamedTo(id), directory);
            self.by_stem.insert(stem, id);
            self.renamed += 1;
        }
    }

    /// What an asset that is not in the table was renamed to, by the same rule.
    pub(crate) fn heir(&self, old: &Asset, min_networks: u32) -> Option<AssetId> {
        let id = self.by_stem.get(old.stem).filter(|_| old.stem != 0 && !old.crowded)?;
        let heir = self.entries.get(id)?;
        (heir.networks.at_least() >= min_networks && old.last < heir.first).then_some(id)
    }

    fn retire(&mut self, id: AssetId, fate: Fate, directory: &Directory) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.fate = fate;
        if let Some(shown) = &entry.shown {
            directory.retire(shown);
        }
        let (hash, stem) = (entry.hash, entry.stem);
        self.fates = self.fates.wrapping_add(1);
        self.by_hash.remove(hash);
        if self.by_stem.get(stem) == Some(id) {
            self.by_stem.remove(stem);
        }
    }

    fn unmap(&mut self, id: AssetId, entry: &Asset) {
        if self.by_hash.get(entry.hash) == Some(id) {
            self.by_hash.remove(entry.hash);
        }
        if self.by_stem.get(entry.stem) == Some(id) {
            self.by_stem.remove(entry.stem);
        }
    }
}

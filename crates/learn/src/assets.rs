//! Every asset that an edge points to, known by the keyed hash of its path.

mod references;

use self::references::Pins;
use crate::directory::{Directory, Shown};
use crate::dissent::Dissent;
use crate::keymap::KeyMap;
use crate::metadata::Metadata;
use crate::networks::{Networks, networks_needed};
use crate::slab::Slab;
use crate::sync::Arc;
use crate::tombstone::Tombstone;

/// The number of an asset.
pub(crate) type AssetId = u32;

/// All that is known of an asset. Its path only if it is shown.
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
    pub(crate) tombstone: Tombstone,
    fate: Fate,
    /// Another asset of the same stem was fetched on the same visit: no renames here.
    pub(crate) crowded: bool,
    /// Its name looks as if it was made for one person.
    pub(crate) personal: bool,
    dissent: Dissent,
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
    directory: Arc<Directory>,
    max: usize,
    min_networks: u32,
    shown_bytes: usize,
    shown: usize,
    pub(crate) renamed: u64,
    /// Grows when an asset is gone or renamed: edges may then point to what is not there.
    pub(crate) fates: u32,
    pins: Pins,
}

/// One sighting of an asset on a visit.
pub(crate) struct Sighting<'a> {
    pub(crate) metadata: Option<&'a Metadata>,
    /// Keyed hash of the network.
    pub(crate) network: u64,
    pub(crate) seconds: u32,
}

impl Asset {
    /// Whether the server still has it under this name.
    pub(crate) fn is_live(&self) -> bool {
        self.fate == Fate::Live
    }

    /// Whether another name has taken its place.
    pub(crate) fn is_renamed(&self) -> bool {
        matches!(self.fate, Fate::RenamedTo(_))
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
            tombstone: Tombstone::default(),
            fate: Fate::Live,
            crowded: false,
            personal: false,
            dissent: Dissent::default(),
        }
    }
}

impl Assets {
    /// Most bytes that a table entry costs with its places in the two maps.
    pub(crate) const ENTRY_BYTES: usize = size_of::<Option<Asset>>() + 2 * 2 * 17;

    /// A table for at most `max` assets.
    pub(crate) fn new(max: usize, min_networks: u32, directory: Arc<Directory>, seed: u64) -> Self {
        Self {
            entries: Slab::new(),
            by_hash: KeyMap::new(seed),
            by_stem: KeyMap::new(seed),
            directory,
            max,
            min_networks,
            shown_bytes: 0,
            shown: 0,
            renamed: 0,
            fates: 0,
            pins: Pins::default(),
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

    /// Changes when an asset passes the gate, is gone, is back, or is renamed.
    pub(crate) fn state(&self) -> (u32, usize) {
        (self.fates, self.shown)
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

    /// Takes in a fetch: the gate opens when enough networks have been seen. Then the path is asked for.
    #[inline]
    pub(crate) fn saw<'p>(&mut self, id: AssetId, sighting: &Sighting<'_>, path: impl FnOnce() -> &'p str) {
        let Some(asset) = self.entries.get_mut(id) else { return };
        asset.first = asset.first.min(sighting.seconds);
        asset.last = asset.last.max(sighting.seconds);
        asset.networks.add(sighting.network, asset.hash);
        let personal = sighting.metadata.is_some_and(|metadata| metadata.personal);
        asset.personal |= personal;
        let settled = asset.stem == 0 && asset.shown.is_some() && asset.fate == Fate::Live;
        if !(settled && sighting.metadata.is_none_or(|metadata| asset.dissent.agrees(metadata))) {
            self.judge(id, sighting, path());
        }
    }

    /// Takes in a fetch of an asset that may come to be known otherwise by it.
    fn judge(&mut self, id: AssetId, sighting: &Sighting<'_>, path: &str) {
        let min_networks = self.min_networks;
        let Some(asset) = self.entries.get_mut(id) else { return };
        let revived = asset.fate == Fate::Gone && asset.tombstone.since(asset.last, 2.min(min_networks)).is_none();
        if revived {
            asset.fate = Fate::Live;
        }
        if let (Some(metadata), Some(shown)) = (sighting.metadata, &asset.shown) {
            let who = (sighting.network, asset.hash);
            asset.dissent.vote(shown, *metadata, who, min_networks, &self.directory);
        }
        let (stem, unshown) = (asset.stem, asset.shown.is_none() || revived);
        if let (true, Some(metadata)) = (unshown && self.has_passed(id), sighting.metadata) {
            self.show(id, path, *metadata);
        }
        if stem != 0 {
            self.follow_rename(id);
        }
    }

    /// Whether an asset has passed the gate of its name.
    pub(crate) fn has_passed(&self, id: AssetId) -> bool {
        let Some(asset) = self.entries.get(id) else { return false };
        let networks = asset.networks.at_least();
        let inherits = asset.stem != 0 && networks >= self.min_networks && self.predecessor(id).is_some();
        networks >= networks_needed(self.min_networks, asset.personal && !inherits)
    }

    /// Lets an asset be shown that is live and has passed the gate, of which another server has seen some networks.
    /// Whether it is.
    pub(crate) fn show_if_passed(&mut self, id: AssetId, path: &str, metadata: Metadata) -> bool {
        let Some(asset) = self.entries.get_mut(id) else { return false };
        asset.personal |= metadata.personal;
        let passed = asset.fate == Fate::Live && self.has_passed(id);
        if passed {
            self.show(id, path, metadata);
            self.follow_rename(id);
        }
        passed
    }

    /// Its name looks as if it was made for one person, as another server says.
    pub(crate) fn set_personal(&mut self, id: AssetId) {
        if let Some(asset) = self.entries.get_mut(id) {
            asset.personal = true;
        }
    }

    /// Lets an asset be shown.
    pub(crate) fn show(&mut self, id: AssetId, path: &str, metadata: Metadata) {
        let Some(asset) = self.entries.get_mut(id) else { return };
        if let Some(old) = asset.shown.take() {
            if old.metadata().is_some() {
                asset.shown = Some(old);
                return;
            }
            self.shown -= 1;
            self.shown_bytes -= old.bytes();
        }
        let shown = Arc::new(Shown::new(asset.hash, path, metadata));
        self.shown += 1;
        self.shown_bytes += shown.bytes();
        self.directory.insert(Arc::clone(&shown));
        asset.dissent = Dissent::of(metadata);
        asset.shown = Some(shown);
    }

    /// Takes in what another learner knows of the asset. Whether that is newer.
    pub(crate) fn join(&mut self, id: AssetId, other: &Asset) -> bool {
        let Some(asset) = self.entries.get_mut(id) else { return false };
        let newer = other.last > asset.last;
        asset.networks.merge(other.networks);
        asset.first = asset.first.min(other.first);
        asset.last = asset.last.max(other.last);
        asset.crowded |= other.crowded;
        asset.personal |= other.personal;
        asset.tombstone.merge(other.tombstone);
        newer
    }

    /// Records the metadata that a response gave of a shown asset.
    pub(crate) fn describe(&self, hash: u64, metadata: Metadata) {
        self.directory.describe(hash, metadata);
    }

    /// Several assets of one stem were fetched on one visit: they live side by side.
    pub(crate) fn crowd(&mut self, stem: u64) {
        let holder = self.by_stem.get(stem).and_then(|id| self.entries.get_mut(id));
        if let Some(holder) = holder {
            holder.crowded = true;
        }
    }

    /// The network with this tag was told that the server has the asset no longer. It is gone when two were.
    pub(crate) fn gone(&mut self, hash: u64, tag: u16, second: u32) {
        let Some(id) = self.by_hash.get(hash) else { return };
        let networks = 2.min(self.min_networks);
        let Some(asset) = self.entries.get_mut(id) else { return };
        asset.tombstone.add(second, tag);
        if asset.fate == Fate::Live && asset.tombstone.since(asset.last, networks).is_some() {
            asset.fate = Fate::Gone;
            self.withdraw(id);
        }
    }

    /// Takes over what other networks were told.
    pub(crate) fn reconsider(&mut self, id: AssetId) {
        let networks = 2.min(self.min_networks);
        let Some(asset) = self.entries.get_mut(id) else { return };
        if asset.fate == Fate::Live && asset.tombstone.since(asset.last, networks).is_some() {
            asset.fate = Fate::Gone;
            self.withdraw(id);
        }
    }

    /// The asset to which an edge to `id` leads now: the same, or the one that it was renamed to.
    pub(crate) fn resolve(&self, id: AssetId) -> Option<AssetId> {
        let mut at = id;
        // A chain is as long as the deploys since an edge was last touched.
        for _ in 0..64 {
            match self.entries.get(at)?.fate {
                Fate::Gone | Fate::Live => return Some(at),
                Fate::RenamedTo(heir) => at = heir,
            }
        }
        None
    }

    /// `id` takes the place of the latest asset of its stem, with all that is known of that, if enough networks
    /// vouch for `id` and the other is gone, or has not been fetched since `id` appeared.
    pub(crate) fn follow_rename(&mut self, id: AssetId) {
        let vouched = self
            .entries
            .get(id)
            .is_some_and(|asset| asset.fate == Fate::Live && asset.networks.at_least() >= self.min_networks);
        let Some(elder) = self.predecessor(id).filter(|_| vouched) else { return };
        let Some(stem) = self.entries.get(id).map(|asset| asset.stem) else { return };
        self.retain(id);
        self.withdraw(elder);
        if let Some(old) = self.entries.get_mut(elder) {
            let hash = old.hash;
            old.fate = Fate::RenamedTo(id);
            if self.by_hash.get(hash) == Some(elder) {
                self.by_hash.remove(hash);
            }
        }
        self.by_stem.insert(stem, id);
        self.renamed += 1;
    }

    /// The asset whose place `id` may take.
    fn predecessor(&self, id: AssetId) -> Option<AssetId> {
        let asset = self.entries.get(id).filter(|asset| asset.stem != 0)?;
        let elder = self.by_stem.get(asset.stem).filter(|elder| *elder != id)?;
        let old = self.entries.get(elder)?;
        let left = old.fate == Fate::Gone || old.last <= asset.first;
        (left && !old.crowded).then_some(elder)
    }

    /// The new name of an asset that is not in the table, by the same rule.
    pub(crate) fn heir(&self, old: &Asset) -> Option<AssetId> {
        let id = self.by_stem.get(old.stem).filter(|_| old.stem != 0 && !old.crowded)?;
        let heir = self.entries.get(id)?;
        (heir.networks.at_least() >= self.min_networks && old.last < heir.first).then_some(id)
    }

    /// Takes an asset out of every plan.
    fn withdraw(&mut self, id: AssetId) {
        self.fates = self.fates.wrapping_add(1);
        if let Some(shown) = self.entries.get(id).and_then(|asset| asset.shown.as_ref()) {
            self.directory.retire(shown);
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

//! The assets that may be shown, and what is currently known of each.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::FixedState;

use crate::destination::Destination;
use crate::metadata::Metadata;
use crate::sync::{Arc, AtomicU64, Ordering, RwLock, read, write};

/// An asset that has passed the network gate. Shared by the model, the plans and
/// the directory, so that news of it reaches plans already published.
pub(crate) struct Shown {
    pub(crate) hash: u64,
    pub(crate) path: Arc<str>,
    state: RwLock<State>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    metadata: Metadata,
    retired: bool,
}

impl Shown {
    pub(crate) fn new(hash: u64, path: &str, metadata: Metadata) -> Self {
        let state = RwLock::new(State { metadata, retired: false });
        Self { hash, path: path.into(), state }
    }

    /// The metadata of its latest response; `None` once it is gone or renamed.
    pub(crate) fn metadata(&self) -> Option<Metadata> {
        let state = read(&self.state);
        (!state.retired).then_some(state.metadata)
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        // Two reference counts before each of the two shared allocations, and the
        // directory's entry.
        size_of::<Self>() + self.path.len() + 4 * size_of::<usize>() + 2 * size_of::<(u64, usize)>()
    }

    /// Takes in what one response said. What the asset is fetched as stays: that is for many to decide.
    /// Whether this changed anything.
    fn describe(&self, metadata: Metadata) -> bool {
        let known = read(&self.state).metadata;
        let new = Metadata {
            destination: known.destination,
            cors: known.cors,
            personal: known.personal || metadata.personal,
            ..metadata
        };
        if known == new {
            return false;
        }
        write(&self.state).metadata = new;
        true
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("path", &self.path).finish_non_exhaustive()
    }
}

const SHARDS: usize = 16;

/// All shown assets by the keyed hash of their path. Readers and writers of the
/// model do not wait for one another here beyond one table operation.
#[derive(Debug)]
pub(crate) struct Directory {
    shards: Vec<RwLock<HashMap<u64, Arc<Shown>, FixedState>>>,
    /// Grows whenever the metadata of a shown asset changes.
    version: AtomicU64,
}

impl Directory {
    pub(crate) fn new(seed: u64) -> Self {
        let shard = || RwLock::new(HashMap::with_hasher(FixedState::with_seed(seed)));
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), version: AtomicU64::new(0) }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Takes in what a response said of an asset, if the asset is shown.
    pub(crate) fn describe(&self, hash: u64, metadata: Metadata) {
        let Some(shard) = self.shard(hash) else { return };
        if read(shard).get(&hash).is_some_and(|shown| shown.describe(metadata)) {
            self.changed();
        }
    }

    /// Enough networks agree that the asset is fetched as this.
    pub(crate) fn set_fetched_as(&self, shown: &Shown, destination: Destination, cors: bool) {
        {
            let metadata = &mut write(&shown.state).metadata;
            (metadata.destination, metadata.cors) = (destination, cors);
        }
        self.changed();
    }

    /// Whether this is an asset that may be shown.
    pub(crate) fn knows(&self, hash: u64) -> bool {
        self.shard(hash).is_some_and(|shard| read(shard).contains_key(&hash))
    }

    pub(crate) fn insert(&self, shown: Arc<Shown>) {
        if let Some(shard) = self.shard(shown.hash) {
            write(shard).insert(shown.hash, shown);
        }
    }

    /// Takes an asset out of the directory and out of every published plan.
    pub(crate) fn retire(&self, shown: &Arc<Shown>) {
        write(&shown.state).retired = true;
        self.remove(shown);
        self.changed();
    }

    /// Takes an asset out of the directory; plans keep it until they are next built.
    pub(crate) fn remove(&self, shown: &Arc<Shown>) {
        let Some(shard) = self.shard(shown.hash) else { return };
        let mut shard = write(shard);
        if shard.get(&shown.hash).is_some_and(|other| Arc::ptr_eq(other, shown)) {
            shard.remove(&shown.hash);
        }
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<HashMap<u64, Arc<Shown>, FixedState>>> {
        self.shards.get(hash as usize % SHARDS)
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }
}

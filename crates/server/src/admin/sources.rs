//! Sources of what the admin listener shows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use headstart::Headstart;

use super::health::Health;
use super::ledger::Ledger;
use crate::access_log_writer::AccessLog;
use crate::origin::Origin;
use crate::traffic::Counters;
use headstart_files::CacheStats;
use headstart_proxy::UpstreamStats;

/// Everything that is read; nothing of it is changed from here.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) headstart: Headstart,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) traffic: Arc<Counters>,
    pub(crate) access_log: Option<AccessLog>,
    /// The file that snapshots go to.
    pub(crate) snapshot: Option<PathBuf>,
    pub(crate) health: Health,
    pub(crate) origins: Origins,
    pub(crate) started: SystemTime,
    /// Networks that must have loaded something before it is named.
    pub(crate) min_networks: u32,
    pub(crate) measurement: Measurement,
}

/// Facts of how the gain is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "settings that do not depend on each other")]
pub(crate) struct Measurement {
    /// Hold-outs get help like others.
    pub(crate) aa: bool,
    /// No view is held out.
    pub(crate) no_holdout: bool,
    /// A cache in front answers in our place.
    pub(crate) shared_edge: bool,
    /// Some clients are behind proxies that name them.
    pub(crate) behind_proxies: bool,
    /// Browsers report what views were like.
    pub(crate) beacon: bool,
}

/// The origins that answer now; a reload replaces them. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Origins(Arc<ArcSwap<Vec<Origin>>>);

impl Origins {
    pub(crate) fn set(&self, origins: Vec<Origin>) {
        self.0.store(Arc::new(origins));
    }

    /// The counters of every upstream, in the order of their names.
    pub(crate) fn upstreams(&self) -> Vec<UpstreamStats> {
        let origins = self.0.load();
        let upstreams = origins.iter().filter_map(|origin| match origin {
            Origin::Upstream(proxy) => Some(proxy.stats()),
            Origin::Files(_) => None,
        });
        let mut upstreams: Vec<_> = upstreams.collect();
        upstreams.sort_by(|a, b| a.name.cmp(&b.name));
        upstreams.dedup_by(|a, b| a.name == b.name);
        upstreams
    }

    /// The memory that all sites of files take.
    pub(crate) fn files(&self) -> CacheStats {
        let origins = self.0.load();
        let caches = origins.iter().filter_map(|origin| match origin {
            Origin::Files(files) => Some(files.stats()),
            Origin::Upstream(_) => None,
        });
        caches.fold(CacheStats::default(), |sum, cache| CacheStats {
            files: sum.files + cache.files,
            bytes: sum.bytes + cache.bytes,
        })
    }
}

impl Sources {
    /// How long ago what was learned was last written to disk, if it was.
    pub(crate) fn snapshot_age(&self) -> Option<Duration> {
        let saved = std::fs::metadata(self.snapshot.as_ref()?).ok()?.modified().ok()?;
        Some(saved.elapsed().unwrap_or_default())
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed().unwrap_or_default()
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

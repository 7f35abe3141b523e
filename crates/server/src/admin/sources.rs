//! Where the admin listener reads what it shows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use headstart::Headstart;

use super::health::Health;
use super::ledger::Ledger;
use crate::access_log_writer::AccessLog;
use crate::traffic::Counters;

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
    pub(crate) started: SystemTime,
    /// Networks that must have loaded something before it is named.
    pub(crate) min_networks: u32,
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

//! Keeps a file in step with what was learned.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use headstart::Headstart;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use crate::admin::Ledger;
use crate::log::complain;
use crate::state::SnapshotFile;

/// Saves from time to time, on a task of its own.
pub(crate) struct Snapshots {
    writer: Writer,
    task: JoinHandle<()>,
}

impl Snapshots {
    /// Saves what was learned and, if there is a ledger, what was measured: at once, which also makes sure that it can be done and that the secret behind the clients' cookies outlives a
    /// crash; then at every interval in which something was learned.
    ///
    /// # Errors
    ///
    /// If the first save fails. Later failures are said once on standard error, and tried again.
    pub(crate) fn start(
        file: SnapshotFile,
        headstart: Headstart,
        ledger: Option<Arc<Ledger>>,
        every: Duration,
    ) -> anyhow::Result<Self> {
        let writer = Writer { file, headstart, ledger, hasher: RandomState::new(), turn: Arc::default() };
        let mut saved = writer.save(None)?;
        let on_task = writer.clone();
        let task = tokio::spawn(async move {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            let mut failing = false;
            loop {
                ticks.tick().await;
                match on_task.save_apart(Some(saved)).await {
                    Ok(now) => (saved, failing) = (now, false),
                    Err(error) if !failing => {
                        complain(format_args!("{error:#}; it is tried again every {} s", every.as_secs_f32()));
                        failing = true;
                    }
                    Err(_) => {}
                }
            }
        });
        Ok(Self { writer, task })
    }

    /// Saves for the last time.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the one before it stays.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        self.task.abort();
        let _ = self.task.await;
        // Waits for a save that is still under way on its thread.
        self.writer.save_apart(None).await?;
        Ok(())
    }
}

#[derive(Clone)]
struct Writer {
    file: SnapshotFile,
    headstart: Headstart,
    ledger: Option<Arc<Ledger>>,
    hasher: RandomState,
    /// Held while saving, so that no older snapshot replaces a newer one.
    turn: Arc<Mutex<()>>,
}

/// The last save.
#[derive(Clone, Copy)]
struct LastSave {
    /// The hash of the snapshot.
    hash: u64,
    /// Changes of the ledger until then.
    changes: u64,
}

impl Writer {
    /// Saves what is not as it was saved last.
    fn save(&self, last: Option<LastSave>) -> anyhow::Result<LastSave> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = self.headstart.snapshot();
        let hash = self.hasher.hash_one(&bytes);
        if last.is_none_or(|last| last.hash != hash) {
            // First: of what it says too much is lost, of what it says too little counts twice.
            if let Some(memory) = self.headstart.fleet_memory() {
                self.file.of_fleet().save(&memory)?;
            }
            self.file.save(&bytes)?;
        }
        let changes = self.ledger.as_ref().map_or(0, |ledger| ledger.changes());
        if let Some(ledger) = &self.ledger
            && last.is_none_or(|last| last.changes != changes)
        {
            self.file.of_gain().save(&ledger.save().to_bytes())?;
        }
        Ok(LastSave { hash, changes })
    }

    /// The same on a thread that may wait for the disk.
    async fn save_apart(&self, last: Option<LastSave>) -> anyhow::Result<LastSave> {
        let writer = self.clone();
        spawn_blocking(move || writer.save(last)).await.context("cannot write the snapshot")?
    }
}

//! A learner's state as bytes: given away, taken up, added up.

use std::time::Duration;

use super::{Learner, day};
use crate::clock::{Clock, Tick};
use crate::config::Config;
use crate::decay::Decay;
use crate::merge::{Context, Merged};
use crate::model::Model;
use crate::record::{ASSET, NODE, REASONS};
use crate::site::Site;
use crate::snapshot::{self, Header, Snapshot, SnapshotError};
use crate::sync::lock;
use crate::time::{Time, millis};

/// How many table places are written to a snapshot before the model is let go for a moment.
const STRIDE: u32 = 256;

impl Learner {
    /// A learner that knows what was in a snapshot, as far as the limits of `config`
    /// allow; the heaviest pages come first.
    ///
    /// Under a key other than that of the snapshot, only what has passed the
    /// network gate is taken over.
    ///
    /// # Errors
    ///
    /// When the bytes are not an unharmed snapshot.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n bytes; at most `config.memory_bytes` and a table of the records.
    pub fn restore(config: Config, bytes: &[u8]) -> Result<Self, SnapshotError> {
        Ok(Self::of_snapshot(config, Snapshot::read(bytes)?))
    }

    /// The same with the half-life of the learner that wrote the snapshot, in place of that of `config`: only with the same
    /// are its sums taken over.
    ///
    /// # Errors
    ///
    /// When the bytes are not an unharmed snapshot, or its half-life is out of range.
    ///
    /// # Complexity
    ///
    /// As that of [`restore`](Self::restore).
    pub fn restore_with_its_half_life(config: &Config, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::read(bytes)?;
        let half_life = Duration::from_millis(snapshot.header.half_life);
        let config = config.to_builder().half_life(half_life).build();
        Ok(Self::of_snapshot(config.map_err(|_| SnapshotError::malformed())?, snapshot))
    }

    fn of_snapshot(config: Config, snapshot: Snapshot<'_>) -> Self {
        let (taken, tick) = (snapshot.header.taken, Tick(snapshot.header.tick));
        let max_step = Decay::new(millis(config.half_life())).max_step();
        let learner = Self::with_clock(config, Clock::starting(taken, tick, max_step));
        learner.take_over(snapshot, tick);
        learner
    }

    /// Adds what is in a snapshot of another learner to what this one knows.
    ///
    /// Under one key it is as if this learner had seen the visits of both: what is stored are whole numbers that
    /// are added up, sets that are united, and first and last times, so merging is exact, commutative and
    /// associative as long as everything fits; then the heaviest pages stay, nearly. A network that voted on
    /// both has one voice in the gate, and two in the weights. A snapshot that is merged twice counts twice.
    ///
    /// Under another key only what goes by its name, for it has passed the network gate, is taken in, and what the
    /// gate has seen is not added up. So the gate is never opened by a merge of what was below it under two keys.
    /// Sums of a learner of another half-life are left out; the last visits of each page are taken in.
    ///
    /// # Errors
    ///
    /// When the bytes are not an unharmed snapshot; then nothing of it is taken in.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n bytes, with a table of the records beside the learner's own memory.
    pub fn merge_snapshot(&self, now: Time, bytes: &[u8]) -> Result<Merged, SnapshotError> {
        let snapshot = Snapshot::read(bytes)?;
        Ok(self.take_over(snapshot, self.tick(now)))
    }

    fn take_over(&self, snapshot: Snapshot<'_>, now: Tick) -> Merged {
        let same_key = snapshot.header.fingerprint == self.keys.fingerprint();
        let context = Context {
            sites: self.take_sites(&snapshot, same_key, now),
            same_key,
            same_half_life: snapshot.header.half_life == millis(self.config.half_life()),
            min_networks: self.config.min_networks(),
            now,
        };
        if same_key {
            snapshot.records.take_reasons(lock(&self.model).reasons_mut());
        }
        snapshot.records.take_in(&context, |site, work| {
            let mut model = lock(&self.model);
            // It may lose its place meanwhile.
            if self.sites.has(site) {
                work(&mut model);
            }
        })
    }

    /// The sites of a snapshot in its order. Those that more networks know come first, and take the places of those
    /// that fewer do, so that names which somebody has made up do not stay by a restart.
    fn take_sites(&self, snapshot: &Snapshot<'_>, same_key: bool, now: Tick) -> Vec<Option<Site>> {
        let standings = snapshot.records.standings(snapshot.sites.len(), same_key, self.config.min_networks());
        let mut order: Vec<_> = snapshot.sites.iter().zip(standings).enumerate().collect();
        order.sort_by_key(|(_, (_, (networks, _)))| std::cmp::Reverse(*networks));
        let mut sites = vec![None; snapshot.sites.len()];
        for (number, (authority, (networks, last))) in order {
            let mut model = lock(&self.model);
            let last = day(Tick(u64::from(last) * 1000));
            let (site, taken) = self.sites.restore(&self.keys, authority, (networks, last), day(now));
            if let Some(taken) = taken {
                model.forget_site(taken.site);
            }
            if let Some(place) = sites.get_mut(number) {
                *place = site;
            }
        }
        sites
    }

    /// The state as bytes, for [`Learner::restore`].
    ///
    /// The model is locked for a few hundred pages at a time, so that visits go on
    /// being learned; what is learned meanwhile may be in it or not. O(edges).
    pub fn snapshot(&self, now: Time) -> Vec<u8> {
        let header = Header {
            fingerprint: self.keys.fingerprint(),
            taken: now,
            tick: self.tick(now).0,
            half_life: millis(self.config.half_life()),
        };
        let mut out = header.write(&self.sites.names());
        self.in_strides(|model, ids| {
            let live = |id| model.assets().get(id).filter(|asset| !asset.is_renamed());
            for asset in ids.clone().filter_map(live) {
                snapshot::record(&mut out, ASSET, |out| asset.write(out));
            }
            model.assets().end() > ids.end
        });
        self.in_strides(|model, ids| {
            for id in ids.clone() {
                model.settle(id);
                let Some(node) = model.nodes().get(id) else { continue };
                let hash = |id| model.assets().get(id).map(|asset| asset.hash);
                snapshot::record(&mut out, NODE, |out| node.write(hash, out));
            }
            model.nodes().end() > ids.end
        });
        for reasons in lock(&self.model).reasons().records() {
            snapshot::record(&mut out, REASONS, |out| out.extend(reasons));
        }
        snapshot::seal(&mut out);
        out
    }

    /// Locks the model for one stride of table places at a time, while `work` wants more.
    fn in_strides(&self, mut work: impl FnMut(&mut Model, std::ops::Range<u32>) -> bool) {
        let mut start = 0u32;
        while work(&mut lock(&self.model), start..start.saturating_add(STRIDE)) {
            start = start.saturating_add(STRIDE);
        }
    }
}

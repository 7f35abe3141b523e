//! Who gives way when there is no room.
//!
//! Not the least recently used: a flood of new names would then wash out what is in
//! use. The lightest of a few taken at random goes, which is nearly the lightest of all.

use crate::decay::{Epoch, rebase};
use crate::model::{Model, Outside};

/// How many nodes are compared.
const SAMPLE: usize = 16;

/// How many table places are looked at for them.
const PROBES: usize = 256;

impl Model {
    /// Lets a light node go, but not `spare`. Whether there was one.
    pub(crate) fn evict_lightest(&mut self, spare: Option<u32>, outside: &Outside<'_>) -> bool {
        let victim = self.sample_lightest(spare, Epoch::MAX);
        victim.is_some_and(|(id, _)| self.evict(id, outside))
    }

    /// Lets a node go, and what only it pointed to.
    pub(crate) fn evict(&mut self, id: u32, outside: &Outside<'_>) -> bool {
        let Some(node) = self.nodes.remove(id) else { return false };
        self.by_key.remove(node.key);
        self.node_bytes -= node.bytes();
        outside.plans.remove(node.key);
        for edge in &node.edges {
            self.assets.release(edge.asset, outside.directory);
        }
        self.counts.evicted += 1;
        true
    }

    /// The lightest of sixteen nodes taken at random, with its weight relative to the
    /// landmark of `epoch`.
    pub(crate) fn sample_lightest(&mut self, spare: Option<u32>, epoch: Epoch) -> Option<(u32, f32)> {
        let end = u64::from(self.nodes.end().max(1));
        let mut lightest: Option<(Epoch, f32, u32)> = None;
        let mut found = 0;
        for _ in 0..PROBES {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let id = ((u128::from(self.random) * u128::from(end)) >> 64) as u32;
            let Some(node) = self.nodes.get(id).filter(|_| Some(id) != spare) else { continue };
            let lighter = lightest.is_none_or(|(epoch, weight, _)| {
                let to = epoch.max(node.epoch);
                node.weight * rebase(node.epoch, to) < weight * rebase(epoch, to)
            });
            if lighter {
                lightest = Some((node.epoch, node.weight, id));
            }
            found += 1;
            if found == SAMPLE {
                break;
            }
        }
        lightest.map(|(from, weight, id)| (id, weight * rebase(from, epoch)))
    }
}

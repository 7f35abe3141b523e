//! When a server tells what it has gathered, and in how many bytes.

use std::time::Duration;

use headstart_learn::Outbound;

use crate::fleet::Fleet;
use crate::pace::{Allowance, Pace};

/// Largest entry, and the least room for one, before sealing.
pub(crate) const MAX_ENTRY: usize = 1 << 20;
const MIN_ENTRY: usize = 1 << 10;

/// When to tell, and how much: all servers together tell what one of them may read.
#[derive(Debug)]
pub(crate) struct Telling {
    pace: Pace,
    allowance: Allowance,
    publish: Duration,
    memory: usize,
    read_budget: usize,
}

impl Telling {
    pub(crate) fn new(fleet: &Fleet) -> Self {
        Telling {
            pace: Pace::new(fleet.publish),
            allowance: Allowance::empty(MAX_ENTRY),
            publish: fleet.publish,
            memory: fleet.memory,
            read_budget: fleet.read_budget,
        }
    }

    /// The bytes for an entry, if it is time for one: after a while, sooner if others should hear of it or memory is short.
    pub(crate) fn due(&mut self, outbound: &Outbound, tellers: impl FnOnce() -> usize) -> Option<usize> {
        let (due, waited) = (self.pace.is_due(), self.pace.elapsed());
        let soon = outbound.news && waited >= self.publish / 5;
        let full = outbound.bytes > self.memory / 2 && waited >= self.publish / 10;
        if !(due || soon || full) {
            return None;
        }
        self.allowance.refill();
        self.allowance.set_rate(self.read_budget as f64 / tellers().max(1) as f64);
        // Until then the others have no room for it. Smaller entries would cost more for each visit.
        let least = if due { MIN_ENTRY } else { 2 * MIN_ENTRY };
        Some(self.allowance.left()).filter(|budget| *budget >= least)
    }

    /// An entry of so many bytes was made, or there was nothing to tell. One that is larger than it should be has the next
    /// one wait for as much longer.
    pub(crate) fn told(&mut self, bytes: usize) {
        self.allowance.spend(bytes);
        self.pace.done();
    }
}

//! The two arms of the experiment.

use crate::sketch::{Observation, Sketch};

/// What was meant for a view, whatever became of it: a 103 that came too late is help all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arm {
    /// The view was to get early delivery.
    Helped,
    /// The view was drawn to get none.
    HeldOut,
}

/// The times of both arms of one stratum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arms {
    /// Views that were to get help.
    pub helped: Sketch,
    /// Hold-outs.
    pub held_out: Sketch,
}

impl Arms {
    /// Adds a view to its arm. O(log bins).
    pub fn add(&mut self, arm: Arm, observation: &Observation) {
        match arm {
            Arm::Helped => self.helped.add(observation),
            Arm::HeldOut => self.held_out.add(observation),
        }
    }

    /// Adds what others hold. O(bins).
    pub fn merge(&mut self, other: &Arms) {
        self.helped.merge(&other.helped);
        self.held_out.merge(&other.held_out);
    }

    /// Views of both arms.
    pub fn views(&self) -> u64 {
        self.helped.views().saturating_add(self.held_out.views())
    }

    /// Bytes of heap.
    pub fn bytes(&self) -> usize {
        self.helped.bytes() + self.held_out.bytes()
    }
}

//! The two arms of the experiment.

use crate::sketch::{Observation, Sketch};
use crate::volume::Volume;
use crate::weight::Weight;

/// The arm that was meant for a view, whatever became of it: a 103 that came too late is help all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arm {
    /// The view was to get early delivery.
    Helped,
    /// The view was drawn to get none.
    HeldOut,
}

/// The times of both arms of one stratum, and the bytes that they transferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arms {
    /// Views that were to get help.
    pub helped: Sketch,
    /// Hold-outs.
    pub held_out: Sketch,
    /// Bytes of views that were to get help.
    pub helped_bytes: Volume,
    /// Bytes of hold-outs.
    pub held_out_bytes: Volume,
}

impl Arms {
    /// Adds a view to its arm. O(log bins).
    pub fn add(&mut self, arm: Arm, observation: &Observation) {
        match arm {
            Arm::Helped => self.helped.add(observation),
            Arm::HeldOut => self.held_out.add(observation),
        }
    }

    /// Adds the bytes of a view to its arm. O(1).
    pub fn add_bytes(&mut self, arm: Arm, bytes: u64, weight: Weight, first_of_client: bool) {
        match arm {
            Arm::Helped => self.helped_bytes.add(bytes, weight, first_of_client),
            Arm::HeldOut => self.held_out_bytes.add(bytes, weight, first_of_client),
        }
    }

    /// Adds what others hold. O(bins).
    pub fn merge(&mut self, other: &Arms) {
        self.helped_bytes.merge(&other.helped_bytes);
        self.held_out_bytes.merge(&other.held_out_bytes);
        self.helped.merge(&other.helped);
        self.held_out.merge(&other.held_out);
    }

    /// Timed views of both arms.
    pub fn views(&self) -> u64 {
        self.helped.views().saturating_add(self.held_out.views())
    }

    /// Bytes of heap.
    pub fn bytes(&self) -> usize {
        self.helped.bytes() + self.held_out.bytes()
    }
}

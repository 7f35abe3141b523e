//! What was sent in vain, beside what was gained.

/// Bytes that were sent early, and those of them that the view did not need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waste {
    early: u64,
    unused: u64,
}

impl Waste {
    /// Adds a view: the bytes that were pushed, or fetched for a hint, and those of them that it did not use.
    pub fn add(&mut self, early: u64, unused: u64) {
        self.early = self.early.saturating_add(early);
        self.unused = self.unused.saturating_add(unused.min(early));
    }

    /// Adds what others counted.
    pub fn merge(&mut self, other: &Waste) {
        self.add(other.early, other.unused);
    }

    /// Bytes that were sent early.
    pub fn early(&self) -> u64 {
        self.early
    }

    /// Bytes that were sent early and not used.
    pub fn unused(&self) -> u64 {
        self.unused
    }

    /// The unused share of the early bytes; 0 where nothing was sent early.
    pub fn share(&self) -> f64 {
        if self.early == 0 { 0.0 } else { self.unused as f64 / self.early as f64 }
    }
}

//! What servers measure beside what they learn.

use std::fmt;

/// Sums that a program keeps and that add up with those of other servers, in any order: how long views took, say. They
/// travel in the entries of evidence and in the base; each is added once, or lost with its entry.
///
/// Calls come from the member's task and from a thread that saves; they may take a lock for a short time.
pub trait Figures: fmt::Debug + Send + Sync + 'static {
    /// Takes what was measured here since this was last called, if that is in `most` bytes; else it stays and nothing is
    /// told. From now on [`known`](Self::known) has it.
    fn take(&self, most: usize) -> Option<Vec<u8>>;

    /// Adds what another server has told. Whether the bytes made sense; if not, nothing was added.
    fn add(&self, told: &[u8]) -> bool;

    /// All that was told by any server, this one too, and nothing that was not.
    fn known(&self) -> Vec<u8>;

    /// Replaces all that was told by what [`known`](Self::known) gave at another server, or before a restart. Whether the
    /// bytes made sense; if not, nothing was replaced.
    fn replace(&self, known: &[u8]) -> bool;
}

//! The clock of the scheduler.

/// The virtual time at which a stream is due: among streams of one urgency the lowest goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VirtualTime(u64);

impl VirtualTime {
    pub(crate) fn next(self) -> Self {
        VirtualTime(self.0 + 1)
    }
}

//! How much of files is in memory on its way out: the more there is, the smaller the pieces.
//!
//! A client that opens its window by a byte makes the server hold a piece for it, for as long as a stalled write may
//! last, and one client may have a hundred streams on each of a hundred connections. Refusing it memory would stall
//! honest clients with it; smaller pieces only cost them more reads.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Up to here pieces are as large as is good for speed; up to the second, as an HTTP/2 frame of the default size.
const AMPLE: usize = 2 << 20;
const SCARCE: usize = 4 << 20;
const FRAME: u64 = 16 << 10;
const LEAST: u64 = 4 << 10;

/// Bytes that were read, or are about to be, and are not yet sent.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    held: AtomicUsize,
}

/// The budget that all responses of this process share.
pub(super) static BUDGET: MemoryBudget = MemoryBudget::new();

/// A part of the budget, given back when dropped.
pub(super) struct Reservation {
    budget: &'static MemoryBudget,
    bytes: usize,
}

impl MemoryBudget {
    pub(super) const fn new() -> Self {
        Self { held: AtomicUsize::new(0) }
    }

    /// MemoryBudget for a piece of this length, or for a shorter one, which is at least 4 KiB if so much is asked for.
    pub(super) fn take(&'static self, wanted: u64) -> Reservation {
        let most = match self.held.load(Ordering::Relaxed) {
            0..AMPLE => u64::MAX,
            AMPLE..SCARCE => FRAME,
            SCARCE.. => LEAST,
        };
        let bytes = usize::try_from(wanted.min(most)).unwrap_or(usize::MAX);
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Reservation { budget: self, bytes }
    }
}

impl Reservation {
    /// Its length, bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    /// Bytes that count until the last handle to them is dropped.
    pub(super) fn filled(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Filled { bytes, _reservation: self })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

struct Filled {
    bytes: Vec<u8>,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> &'static MemoryBudget {
        Box::leak(Box::new(MemoryBudget::new()))
    }

    #[test]
    fn pieces_get_smaller_and_what_is_sent_makes_room() {
        let budget = budget();
        let mut held: Vec<Reservation> = (0..32).map(|_| budget.take(64 << 10)).collect();
        assert!(held.iter().all(|reservation| reservation.bytes() == 64 << 10));
        held.extend((0..128).map(|_| budget.take(64 << 10)));
        assert_eq!(held.last().map(Reservation::bytes), Some(16 << 10));
        assert_eq!(budget.take(64 << 10).bytes(), 4 << 10);
        assert_eq!(budget.take(100).bytes(), 100);
        drop(held);
        assert_eq!(budget.take(64 << 10).bytes(), 64 << 10);
    }

    /// 12,800 streams, as many as one address may have open.
    #[test]
    fn a_crowd_takes_little_each() {
        let budget = budget();
        let held: Vec<Reservation> = (0..12_800).map(|_| budget.take(64 << 10)).collect();
        assert!(budget.held.load(Ordering::Relaxed) < 60 << 20);
        drop(held);
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_slice_keeps_its_reservation() {
        let budget = budget();
        let mut bytes = budget.take(10).filled(vec![1; 10]);
        let slice = bytes.split_to(3);
        drop(bytes);
        assert_eq!(budget.held.load(Ordering::Relaxed), 10);
        drop(slice);
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
    }
}

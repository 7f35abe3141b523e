//! How the socket takes and gives bytes, as the tap finds it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Written and read by the connection's task alone, like all of [`Wire`](crate::wire::Wire).
#[derive(Debug, Default)]
pub(crate) struct Socket {
    bytes_written: AtomicU64,
    /// Bytes in the tap's outbox.
    held: AtomicUsize,
    /// Whether flushing is put off.
    gathering: AtomicBool,
    /// There was nothing to read, and the socket will wake the task.
    asleep: AtomicBool,
    /// Bytes have left `h2` since the last flush.
    unflushed: AtomicBool,
    write_blocked: AtomicBool,
}

impl Socket {
    /// All bytes that the socket has taken.
    pub(crate) fn bytes_written(&self) -> u64 {
        self.bytes_written.load(Relaxed)
    }

    /// Bytes that have left `h2` and wait for the socket.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// Whether something has left `h2` that was not flushed.
    pub(crate) fn unflushed(&self) -> bool {
        self.unflushed.load(Relaxed)
    }

    /// From now on flushing waits until it is asked for, or no longer does.
    pub(crate) fn gather(&self, gather: bool) {
        self.gathering.store(gather, Relaxed);
    }

    /// Whether the socket has nothing to read until the task is polled again.
    pub(crate) fn asleep(&self) -> bool {
        self.asleep.load(Relaxed) && self.gathers()
    }

    pub(crate) fn set_asleep(&self, asleep: bool) {
        self.asleep.store(asleep, Relaxed);
    }

    pub(crate) fn gathers(&self) -> bool {
        self.gathering.load(Relaxed)
    }

    pub(crate) fn holds(&self, bytes: usize) {
        self.held.store(bytes, Relaxed);
        if bytes > 0 {
            self.unflushed.store(true, Relaxed);
        }
    }

    /// Whether the last write found the socket full.
    pub(crate) fn write_blocked(&self) -> bool {
        self.write_blocked.load(Relaxed)
    }

    pub(crate) fn wrote(&self, bytes: usize) {
        add(&self.bytes_written, bytes as u64);
        self.write_blocked.store(false, Relaxed);
    }

    pub(crate) fn could_not_write(&self) {
        self.write_blocked.store(true, Relaxed);
    }

    /// Nothing handed over is left to write.
    pub(crate) fn flushed(&self) {
        self.write_blocked.store(false, Relaxed);
        self.unflushed.store(false, Relaxed);
    }
}

/// Written by one task alone: without the cost of an atomic addition.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

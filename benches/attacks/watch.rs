//! Memory of a process over time, from `/proc`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use crate::peers::anonymous_bytes;

const EVERY: Duration = Duration::from_millis(25);

/// Watches the anonymous memory of a process: heap and stacks, not the files it has mapped. The allocator of glibc
/// keeps what was freed for reuse, so this is what a client can make the server hold at its worst, not what leaks.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    before: u64,
    most: JoinHandle<u64>,
}

impl Watch {
    pub(crate) fn start(pid: u32) -> Self {
        let before = anonymous_bytes(pid).unwrap_or_default();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let most = spawn(move || {
            let mut most = 0;
            while !stopped.load(Ordering::Relaxed) {
                most = anonymous_bytes(pid).unwrap_or_default().max(most);
                sleep(EVERY);
            }
            most
        });
        Watch { stop, before, most }
    }

    /// How far it grew, bytes.
    pub(crate) fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.most.join().expect("the watch does not panic").saturating_sub(self.before)
    }
}

//! Permits to read a large file into memory.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Large files that are read into memory at once, of one directory.
const AT_ONCE: usize = 2;

/// Readers of one file wait for one another, and so do those of all but a few files. Before the first of them has put
/// a file into memory a thousand may ask for it, and each of the threads that read would hold a copy of its own.
#[derive(Default)]
pub(super) struct ReadPermits {
    permits: [Mutex<()>; AT_ONCE],
    hasher: RandomState,
}

impl ReadPermits {
    /// Waits until nobody else reads the file.
    pub(super) fn take(&self, name: &str) -> Option<MutexGuard<'_, ()>> {
        let permit = self.permits.get(self.hasher.hash_one(name) as usize % AT_ONCE)?;
        Some(permit.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_file_has_one_reader_and_all_files_a_few() {
        let (permits, now, reads) = (ReadPermits::default(), [const { AtomicUsize::new(0) }; 5], AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let (permits, now, reads) = (&permits, &now, &reads);
                scope.spawn(move || {
                    for n in 0..100 {
                        let file = (thread + n) % now.len();
                        let _permit = permits.take(&file.to_string());
                        assert_eq!(now[file].fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        assert!(now.iter().map(|count| count.load(Ordering::SeqCst)).sum::<usize>() <= AT_ONCE);
                        now[file].fetch_sub(1, Ordering::SeqCst);
                        reads.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(reads.into_inner(), 1600);
    }
}

//! Lines for people: on standard output what happens, on standard error what is wrong.

use std::fmt::Arguments;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

/// Writes one line to standard output. A reader that went away (`headstart | head -1`) is not an error.
pub(crate) fn say(line: Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes one line to standard error, after the name of the program.
pub(crate) fn complain(line: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "headstart: {line}");
}

/// Lines waiting to be written, at most; about 200 KiB.
const WAITING: usize = 1024;

/// Writes lines to standard output from a thread of its own, so that a slow reader never holds up a response.
///
/// When [`WAITING`] lines wait, further ones are lost, and a line says how many.
#[derive(Clone)]
pub(crate) struct Log {
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

impl Log {
    pub(crate) fn start() -> Self {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let lost_here = Arc::clone(&lost);
        std::thread::spawn(move || {
            for line in waiting {
                say(format_args!("{line}"));
                let lost = lost_here.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    say(format_args!(
                        "({lost} lines lost: the reader of this log is too slow)"
                    ));
                }
            }
        });
        Self { lines, lost }
    }

    pub(crate) fn line(&self, line: String) {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

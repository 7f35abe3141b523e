//! The thread that writes, and the handle that everybody else holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::time::timeout;

use super::format::{Format, Lines};
use super::queue::Queue;
use super::sink::{Sink, Target};
use crate::log::complain;
use crate::record::Record;

/// How long the end of the program waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(2);
/// Lines are written in pieces of about this many bytes.
const PIECE: usize = 64 << 10;

/// An access log that is being written. A clone writes to the same.
#[derive(Clone, Debug)]
pub(crate) struct AccessLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Queue,
    lost: AtomicU64,
    written: watch::Receiver<bool>,
}

impl AccessLog {
    /// Opens the log and starts its thread.
    ///
    /// # Errors
    ///
    /// If the file cannot be made or written to.
    pub(crate) fn start(target: &Target, format: Format) -> anyhow::Result<Self> {
        let sink = Sink::open(target);
        let sink = sink.with_context(|| match target {
            Target::File(path) => format!("cannot write the access log {}", path.display()),
            Target::Stdout => "cannot write to standard output".to_owned(),
        })?;
        let (done, written) = watch::channel(false);
        let shared = Arc::new(Shared { queue: Queue::default(), lost: AtomicU64::new(0), written });
        let here = Arc::clone(&shared);
        let writer = move || {
            run(&here, sink, format);
            // Whoever waits may have gone.
            let _ = done.send(true);
        };
        std::thread::Builder::new().name("access log".to_owned()).spawn(writer).context("cannot start a thread")?;
        Ok(Self(shared))
    }

    /// Writes a record, soon.
    pub(crate) fn write(&self, record: Record) {
        if !self.0.queue.push(record) {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reopens the file by its name after it was moved away (SIGHUP). What was noted before may go to either.
    pub(crate) fn reopen(&self) {
        self.0.queue.reopen();
    }

    /// Records that were not written, as the disk or the reader was too slow or failed.
    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Writes what waits, then nothing more. Waits two seconds at most.
    pub(crate) async fn finish(&self) {
        self.0.queue.close();
        let mut written = self.0.written.clone();
        let _ = timeout(LAST_LINES, written.wait_for(|written| *written)).await;
    }
}

fn run(shared: &Shared, mut sink: Sink, format: Format) {
    let mut lines = Lines::default();
    let mut bytes = Vec::with_capacity(PIECE);
    let mut spare = Vec::new();
    let mut failing = false;
    loop {
        let mut work = shared.queue.next(spare);
        if work.reopen
            && let Err(error) = sink.reopen()
        {
            complain(format_args!("cannot reopen the access log {}: {error}; the old file is kept", sink.name()));
        }
        if work.lost > 0 {
            complain(format_args!("{} lines of the access log are lost: {} is too slow", work.lost, sink.name()));
        }
        let mut records = work.records.iter().peekable();
        let mut waiting = 0;
        while let Some(record) = records.next() {
            lines.add(format, record, &mut bytes);
            waiting += 1;
            if bytes.len() < PIECE && records.peek().is_some() {
                continue;
            }
            match sink.write(&bytes) {
                Ok(()) => failing = false,
                Err(error) => {
                    shared.lost.fetch_add(waiting, Ordering::Relaxed);
                    if !failing {
                        complain(format_args!("cannot write the access log {}: {error}; lines are lost", sink.name()));
                        failing = true;
                    }
                }
            }
            bytes.clear();
            waiting = 0;
        }
        if work.last {
            return;
        }
        work.records.clear();
        spare = work.records;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use http::{Request, StatusCode};

    use super::*;
    use crate::record::Noted;

    fn record(path: &str) -> Record {
        let request = Request::get(path).body(()).unwrap();
        Record {
            time: std::time::UNIX_EPOCH,
            client: None,
            request: Noted::new(&request.into_parts().0),
            status: StatusCode::OK,
            bytes: 0,
            duration: Duration::ZERO,
            complete: true,
            early: None,
            pushed: false,
            upstream: None,
        }
    }

    #[tokio::test]
    async fn lines_are_appended_and_the_last_ones_too() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("access.log");
        for round in 0..2 {
            let log = AccessLog::start(&Target::File(path.clone()), Format::Combined).unwrap();
            for number in 0..1000 {
                log.write(record(&format!("/{round}/{number}")));
            }
            log.finish().await;
            assert_eq!(log.lost(), 0);
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2000);
        assert!(text.lines().last().unwrap().contains("\"GET /1/999 HTTP/1.1\""), "{text}");
    }

    #[tokio::test]
    async fn a_file_that_was_moved_away_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let (path, old) = (directory.path().join("access.log"), directory.path().join("access.log.1"));
        let log = AccessLog::start(&Target::File(path.clone()), Format::Json).unwrap();
        log.write(record("/before"));
        while fs::read(&path).unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        fs::rename(&path, &old).unwrap();
        log.reopen();
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        log.write(record("/after"));
        log.finish().await;
        assert!(fs::read_to_string(&old).unwrap().contains("/before"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("/after") && !text.contains("/before"), "{text}");
    }

    #[tokio::test]
    async fn what_does_not_fit_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let error = AccessLog::start(&Target::File(directory.path().into()), Format::Json).unwrap_err();
        assert!(format!("{error:#}").contains(directory.path().to_str().unwrap()));
        let log = AccessLog::start(&Target::File(directory.path().join("log")), Format::Json).unwrap();
        log.finish().await;
        log.write(record("/late"));
        assert_eq!(log.lost(), 1);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_full_disk_loses_lines_and_nothing_else() {
        let log = AccessLog::start(&Target::File("/dev/full".into()), Format::Json).unwrap();
        log.write(record("/a"));
        log.finish().await;
        assert_eq!(log.lost(), 1);
    }
}

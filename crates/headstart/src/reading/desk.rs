//! The queue of copies that wait to be read, and the time that reading may take.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headstart_markup::{End, Location, Reader};
use headstart_policy::FileContent;
use tokio::runtime::Handle;

use super::decode::Coding;
use crate::looks::{Look, Seen};
use crate::pages::{Page, Pages};
use crate::statements::Statement;

/// Copies that wait at most; newcomers are dropped. With 512 KiB each this is 8 MiB.
const MAX_WAITING: usize = 16;
/// The share of one core that reading takes at most.
const SHARE: u32 = 50;
/// Most time that it may spend at once, after a while without reading.
const MAX_CREDIT: Duration = Duration::from_millis(500);

/// Reads copies of pages, one at a time.
pub(crate) struct Desk {
    pages: Arc<Pages>,
    queue: Mutex<Queue>,
    /// Hashes documents, so that one that is known is not read again.
    hashes: RandomState,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    read: AtomicU64,
    dropped: AtomicU64,
    ended_early: AtomicU64,
}

/// Counts of what was read since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadingStats {
    /// Pages read. One that is byte for byte as it was, and was confirmed, is only compared.
    pub read: u64,
    /// Copies that were not read: the queue was full, or reading had its share of the time.
    pub dropped: u64,
    /// Of those read: documents whose reading ended before they did, or that were not in their content coding.
    pub ended_early: u64,
}

struct Queue {
    waiting: VecDeque<Copy>,
    running: bool,
    credit: Duration,
    /// When the credit was counted.
    counted: Instant,
}

/// A copy of a page's body.
pub(crate) struct Copy {
    pub(crate) page: Arc<Page>,
    pub(crate) authority: Arc<str>,
    pub(crate) path: Arc<str>,
    pub(crate) secure: bool,
    pub(crate) seen: Seen,
    pub(crate) coding: Coding,
    /// Of the service that answers with files, if it is one.
    pub(crate) files: Option<FileContent>,
    pub(crate) parts: VecDeque<Bytes>,
    /// All of the body is there.
    pub(crate) whole: bool,
}

impl Desk {
    /// A desk that reads the pages of this table.
    pub(crate) fn new(pages: Arc<Pages>) -> Self {
        let queue = Queue { waiting: VecDeque::new(), running: false, credit: MAX_CREDIT, counted: Instant::now() };
        Desk { pages, queue: Mutex::new(queue), hashes: RandomState::new(), counters: Counters::default() }
    }

    pub(crate) fn pages(&self) -> &Pages {
        &self.pages
    }

    pub(crate) fn stats(&self) -> ReadingStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { read, dropped, ended_early } = &self.counters;
        ReadingStats { read: count(read), dropped: count(dropped), ended_early: count(ended_early) }
    }

    /// Queues a copy, and has the runtime read it beside its own work. Without a runtime nothing is read.
    pub(crate) fn submit(self: &Arc<Self>, copy: Copy) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut queue = self.queue();
        if queue.waiting.len() >= MAX_WAITING {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.waiting.push_back(copy);
        if !queue.running {
            queue.running = true;
            let desk = Arc::clone(self);
            drop(runtime.spawn_blocking(move || desk.work()));
        }
    }

    fn work(&self) {
        while let Some((copy, affordable)) = self.next() {
            if !affordable {
                self.counters.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let started = Instant::now();
            self.read(copy);
            let mut queue = self.queue();
            queue.credit = queue.credit.saturating_sub(started.elapsed());
        }
    }

    /// The next copy, and whether there is time for it.
    fn next(&self) -> Option<(Copy, bool)> {
        let mut queue = self.queue();
        let now = Instant::now();
        let earned = now.saturating_duration_since(queue.counted) / SHARE;
        queue.credit = (queue.credit + earned).min(MAX_CREDIT);
        queue.counted = now;
        let copy = queue.waiting.pop_front();
        queue.running = copy.is_some();
        let affordable = !queue.credit.is_zero();
        copy.map(|copy| (copy, affordable))
    }

    fn read(&self, copy: Copy) {
        let Copy { page, authority, path, secure, seen, coding, files, parts, whole } = copy;
        let Ok(location) = Location::new(if secure { "https" } else { "http" }, &authority, &path) else { return };
        let content = self.hash(&parts, whole);
        // A file is read once for each content anyway, and then its assets are looked up.
        if files.is_none() && page.state().looks.knows(content, &seen) {
            self.counters.read.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut reader = Reader::new(location);
        let decoded = coding.read(parts, &mut reader);
        let said = reader.finish();
        self.counters.read.fetch_add(1, Ordering::Relaxed);
        if decoded.is_err() || said.end != End::Whole {
            self.counters.ended_early.fetch_add(1, Ordering::Relaxed);
        }
        // A body that is not in its coding, or not in a known encoding, says nothing at all.
        let Some(bytes) = decoded.ok().filter(|_| said.end != End::Encoding) else { return };
        let mut look = Look::of(&said, &authority, seen.public);
        look.whole &= whole;
        if let Some(files) = files {
            for (path, says) in &look.statements {
                if let Statement::Hint(named) = says
                    && named.essential
                    && let Some(head) = files.head(path)
                {
                    self.pages.found(&authority, path, named.attributes.is_cors(), &head);
                }
            }
        }
        let mut state = page.state();
        state.looks.looked_at(content);
        if state.looks.take(look, &seen, bytes) {
            let statements = Arc::new(state.looks.statements());
            state.statements = Some(statements);
            state.unserved.clear();
            drop(state);
            self.pages.reweigh(&authority, &path, &page);
        }
    }

    fn hash(&self, parts: &VecDeque<Bytes>, whole: bool) -> u64 {
        let mut hasher = self.hashes.build_hasher();
        for part in parts {
            hasher.write(part);
        }
        hasher.write_u8(u8::from(whole));
        hasher.finish()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

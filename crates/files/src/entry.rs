//! The entry of one path: the file, its compressed forms, and the names on disk that it depends on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use super::open::Root;
use super::representation::Representation;
use super::stamp::Stamp;
use headstart_coding::{Accepted, Coding};

/// The answer to a path, in all its forms.
pub(super) struct Entry {
    /// The file as it is.
    pub(super) plain: Arc<Representation>,
    /// By [`Coding`]: not yet tried, or none, or that form.
    pub(super) encoded: [OnceLock<Option<Arc<Representation>>>; 3],
    /// The names that the answer depends on: it is true as long as the disk says the same of each of them. A name that was
    /// looked for and is not there is one of them.
    pub(super) depends: Vec<(String, Option<Stamp>)>,
    /// When the disk last said so, microseconds of Unix time.
    checked: AtomicU64,
}

/// The form of an answer that suits a client.
pub(super) enum Selected {
    Form(Arc<Representation>),
    /// It has to be made first.
    ToMake(Coding),
}

impl Entry {
    /// An entry without compressed forms, read from disk at `now`.
    pub(super) fn new(
        plain: Representation,
        encoded: [OnceLock<Option<Arc<Representation>>>; 3],
        depends: Vec<(String, Option<Stamp>)>,
        now: SystemTime,
    ) -> Self {
        Self { plain: Arc::new(plain), encoded, depends, checked: AtomicU64::new(micros(now)) }
    }

    /// Is the disk still as it was, as far as was seen less than `patience` ago? Then one clock reading, no more; else
    /// one `stat` for each name that the answer depends on.
    pub(super) fn is_true(&self, root: &Root, now: SystemTime, patience: Duration) -> bool {
        let now = micros(now);
        let age = now.checked_sub(self.checked.load(Ordering::Relaxed));
        // A clock that was set back says nothing.
        if age.is_some_and(|age| u128::from(age) < patience.as_micros()) {
            return true;
        }
        let holds = self.depends.iter().all(|(name, stamp)| root.stamp(name) == *stamp);
        if holds {
            self.checked.store(now, Ordering::Relaxed);
        }
        holds
    }

    /// Are there forms to choose from, so that the answer varies by `Accept-Encoding`?
    pub(super) fn has_forms(&self) -> bool {
        self.encoded.iter().any(|form| !matches!(form.get(), Some(None)))
    }

    /// The form that suits a client best.
    pub(super) fn select(&self, accepted: Accepted) -> Selected {
        for coding in accepted.ranked() {
            match self.form(coding).get() {
                Some(Some(form)) => return Selected::Form(Arc::clone(form)),
                Some(None) => {}
                None => return Selected::ToMake(coding),
            }
        }
        Selected::Form(Arc::clone(&self.plain))
    }

    /// The cell that keeps that form.
    pub(super) fn form(&self, coding: Coding) -> &OnceLock<Option<Arc<Representation>>> {
        let [br, zstd, gzip] = &self.encoded;
        match coding {
            Coding::Br => br,
            Coding::Zstd => zstd,
            Coding::Gzip => gzip,
        }
    }

    /// Bytes of content in memory, all forms together.
    pub(super) fn content_bytes(&self) -> usize {
        let forms = self.encoded.iter().filter_map(|form| form.get()?.as_ref());
        std::iter::once(&self.plain).chain(forms).map(|form| form.memory_bytes()).sum()
    }
}

/// Microseconds since 1970; 0 before.
fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

//! The form of a file that suits a client, made where it is not there yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cache::Cache;
use super::entry::{Entry, Selected};
use super::representation::{Content, Representation};
use headstart_coding::{Accepted, Coding, Levels, compress};

/// A compressed form must save this share of the plain one, one part in so many, or it is not kept.
const WORTHWHILE: usize = 20;

/// Makes compressed forms, a few at a time.
pub(super) struct Forms {
    levels: Option<Levels>,
    /// How many may be made at once: one for each processor, so that cold files asked for all at once do not hold up
    /// the rest. Who comes later gets the plain form, this time.
    max: usize,
    making: AtomicUsize,
}

impl Forms {
    pub(super) fn new(levels: Option<Levels>) -> Self {
        let max = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { levels, max, making: AtomicUsize::new(0) }
    }

    /// The form that suits a client. It may take the time of compressing a file, once for each file and coding.
    pub(super) fn select(
        &self,
        cache: &Cache,
        name: &str,
        entry: &Arc<Entry>,
        accepted: Accepted,
    ) -> Arc<Representation> {
        // Each turn fills one form, so there are at most as many as there are codings.
        for _ in Coding::ALL {
            match entry.select(accepted) {
                Selected::Form(form) => return form,
                Selected::ToMake(coding) => {
                    let Some(_permit) = self.permit() else { break };
                    entry.form(coding).get_or_init(|| self.make(&entry.plain, coding).map(Arc::new));
                    cache.grown(name, entry);
                }
            }
        }
        match entry.select(accepted) {
            Selected::Form(form) => form,
            Selected::ToMake(_) => Arc::clone(&entry.plain),
        }
    }

    fn make(&self, plain: &Representation, coding: Coding) -> Option<Representation> {
        let Content::Memory(content) = &plain.content else { return None };
        let bytes = compress(coding, self.levels?, content).ok()?;
        (bytes.len() <= content.len() - content.len() / WORTHWHILE)
            .then(|| Representation::compressed(plain, coding, bytes))
    }

    fn permit(&self) -> Option<Permit<'_>> {
        let add = |making| (making < self.max).then_some(making + 1);
        self.making.fetch_update(Ordering::AcqRel, Ordering::Acquire, add).ok().map(|_| Permit(&self.making))
    }
}

/// Leave to make one form, given back however it ends.
struct Permit<'a>(&'a AtomicUsize);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

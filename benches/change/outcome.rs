//! Outcomes of views.

use std::rc::Rc;

/// One view: what was hinted, and what its page needed that the client did not hold.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) held_out: bool,
    pub(crate) hinted: Vec<Rc<str>>,
    pub(crate) needed: Vec<Rc<str>>,
    pub(crate) label: u8,
}

impl Outcome {
    /// The part of what was needed that was hinted; 1 if nothing was needed.
    pub(crate) fn recall(&self) -> f64 {
        let hinted = self.needed.iter().filter(|path| self.hinted.contains(path)).count();
        if self.needed.is_empty() { 1.0 } else { hinted as f64 / self.needed.len() as f64 }
    }

    /// How many hints were of no use.
    pub(crate) fn junk(&self) -> usize {
        self.hinted.iter().filter(|path| !self.needed.contains(path)).count()
    }

    pub(crate) fn hints(&self, path: &str) -> bool {
        self.hinted.iter().any(|hinted| **hinted == *path)
    }
}

/// Those that were not held out.
pub(crate) fn helped(outcomes: &[Outcome]) -> impl DoubleEndedIterator<Item = &Outcome> {
    outcomes.iter().filter(|outcome| !outcome.held_out)
}

/// The mean recall of the views that were not held out.
pub(crate) fn recall(outcomes: &[Outcome]) -> f64 {
    mean(helped(outcomes).map(Outcome::recall))
}

/// The mean number of useless hints of the views that were not held out.
pub(crate) fn junk(outcomes: &[Outcome]) -> f64 {
    mean(helped(outcomes).map(|outcome| outcome.junk() as f64))
}

/// The part of all hints that were of no use.
pub(crate) fn waste(outcomes: &[Outcome]) -> f64 {
    let hints: usize = outcomes.iter().map(|outcome| outcome.hinted.len()).sum();
    outcomes.iter().map(Outcome::junk).sum::<usize>() as f64 / hints.max(1) as f64
}

/// The number of the first view from which on all that were not held out are `right`; one past the last if there is none.
pub(crate) fn since(outcomes: &[Outcome], right: impl Fn(&Outcome) -> bool) -> usize {
    outcomes.iter().rposition(|outcome| !outcome.held_out && !right(outcome)).map_or(0, |wrong| wrong + 1) + 1
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

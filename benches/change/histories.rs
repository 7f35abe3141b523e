//! Histories: the evidence of three quiet days, at several paces.

use std::collections::HashMap;
use std::rc::Rc;

use super::simulation::{DAY, HOUR, SECOND, Simulation};
use super::visitor::{Visitor, files};

/// Snapshots by the milliseconds between two views.
pub(crate) struct Histories {
    quick: bool,
    kept: HashMap<u64, (u64, Vec<u8>)>,
}

impl Histories {
    /// With `quick`, half a day at most, and a quarter of an hour of a busy site.
    pub(crate) fn new(quick: bool) -> Self {
        Histories { quick, kept: HashMap::new() }
    }

    /// The twelve files that the page `/` needed all the while.
    pub(crate) fn needs() -> Vec<Rc<str>> {
        files("a", 12, "1a2b3c4d")
    }

    /// A server that has seen a view of `/` every so many milliseconds for three days.
    pub(crate) fn after(&mut self, every: u64, seed: u64) -> Simulation {
        let span = match (self.quick, every) {
            (false, _) => 3 * DAY,
            (true, 0..=SECOND) => HOUR / 4,
            (true, _) => DAY / 2,
        };
        let history = self.kept.entry(every).or_insert_with(|| {
            let mut simulation = Simulation::new(every);
            let needs = Self::needs();
            for _ in 0..span / every {
                simulation.visit(Visitor::new("/", &needs));
                simulation.pass(every);
            }
            simulation.snapshot()
        });
        Simulation::restored(seed, history)
    }
}

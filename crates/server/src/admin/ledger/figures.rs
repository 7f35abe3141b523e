//! How long views took, by arm and stratum: what the help is worth is read off these.

use std::time::Duration;

use headstart::{Outlet, VisitReport};
use headstart_gain::{Arm, Arms, ENOUGH, Look, Observation, Strata, Weight};

/// The first look is taken after a day: when it is must not depend on what was measured.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Times of views by stratum and arm. They grow with the traffic and are never thrown away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    strata: Strata<Stratum>,
    /// Effective hold-outs when the first day was over.
    first_look: Option<f64>,
}

/// Views that are compared with one another: of the same outlet, and of clients that held none of the page, or some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stratum {
    outlet: u8,
    returning: bool,
}

impl Stratum {
    fn of(visit: &VisitReport) -> Self {
        let outlet = match visit.outlet {
            Outlet::EarlyHints => 0,
            Outlet::Link => 1,
            Outlet::Push => 2,
            _ => 3,
        };
        Self { outlet, returning: visit.warm }
    }
}

impl Figures {
    /// Adds a view that took `complete`, `now` after the start.
    pub(super) fn add(&mut self, visit: &VisitReport, complete: Duration, now: Duration) {
        let arm = if visit.held_out { Arm::HeldOut } else { Arm::Helped };
        let probability = if visit.held_out { visit.holdout_probability } else { 1.0 - visit.holdout_probability };
        let weight = Weight::from_probability(probability);
        let observation = Observation { time: complete, weight, first_of_client: visit.first };
        self.strata.add(Stratum::of(visit), arm, &observation);
        if self.first_look.is_none() && now >= FIRST_LOOK_AFTER {
            self.first_look = Some(self.effective().max(ENOUGH));
        }
    }

    /// Sums over the strata.
    pub(crate) fn strata(&self) -> &Strata<Stratum> {
        &self.strata
    }

    /// How far the evidence has grown since the first look; before that, as at the first.
    pub(crate) fn look(&self) -> Look {
        let at = self.first_look.and_then(|first| Look::at(self.effective(), first));
        at.unwrap_or_else(Look::first)
    }

    /// Whether the first day is not over, so that an interval holds for one look only.
    pub(crate) fn is_preliminary(&self) -> bool {
        self.first_look.is_none()
    }

    /// Both arms of all strata.
    pub(crate) fn arms(&self) -> Arms {
        self.strata.merged()
    }

    fn effective(&self) -> f64 {
        self.strata.iter().map(|(_, arms)| arms.held_out.effective()).sum()
    }

    #[cfg(test)]
    pub(crate) fn of(views: impl IntoIterator<Item = (Arm, Duration)>) -> Self {
        let mut figures = Self::default();
        let stratum = Stratum { outlet: 0, returning: false };
        for (arm, time) in views {
            figures.strata.add(stratum, arm, &Observation { time, weight: Weight::ONE, first_of_client: true });
        }
        figures
    }
}

//! How long views took, by arm and stratum: what the help is worth is read off these.

use std::time::Duration;

use headstart::learn::ClientClass;
use headstart::{Outlet, VisitReport};
use headstart_gain::{Arm, Arms, ENOUGH, Look, Observation, RecordError, Strata, Weight, read_number, write_number};

use super::account::{Account, Fate};

/// The first look is taken after a day: when it is must not depend on what was measured.
pub(super) const FIRST_LOOK_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Times of views by stratum and arm. They grow with the traffic and are never thrown away.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    strata: Strata<Stratum>,
    helped: Account,
    held_out: Account,
    /// Effective hold-outs when the first day was over.
    first_look: Option<f64>,
}

/// Views that are compared with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stratum {
    outlet: u8,
    /// The client held some of what was planned.
    pub(crate) returning: bool,
    pub(crate) phone: bool,
}

/// Names of outlets, in the order of their numbers.
const OUTLETS: [&str; 4] = ["103", "link", "push", "other"];

impl Stratum {
    pub(super) fn of(visit: &VisitReport) -> Self {
        let outlet = match visit.outlet {
            Outlet::EarlyHints => 0,
            Outlet::Link => 1,
            Outlet::Push => 2,
            _ => 3,
        };
        Self { outlet, returning: visit.warm, phone: visit.class == ClientClass::Phone }
    }

    /// The stratum among the views of one page, which are fewer: by outlet alone.
    pub(super) fn of_page(self) -> Self {
        Self { returning: false, phone: false, ..self }
    }

    pub(crate) fn outlet(self) -> &'static str {
        OUTLETS.get(usize::from(self.outlet)).copied().unwrap_or("other")
    }

    pub(crate) fn device(self) -> &'static str {
        if self.phone { "phone" } else { "other" }
    }

    pub(super) fn code(self) -> u64 {
        u64::from(self.outlet) | u64::from(self.returning) << 2 | u64::from(self.phone) << 3
    }

    pub(super) fn of_code(code: u64) -> Option<Self> {
        let bit = |place: u64| code >> place & 1 == 1;
        (code < 16).then(|| Self { outlet: (code & 3) as u8, returning: bit(2), phone: bit(3) })
    }
}

/// A view that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    pub(super) stratum: Stratum,
    pub(super) arm: Arm,
    pub(super) weight: Weight,
    pub(super) fate: Fate,
    /// Bytes of the assets that it loaded.
    pub(super) bytes: u64,
}

impl Closed {
    pub(super) fn of(visit: &VisitReport) -> Self {
        let arm = if visit.held_out { Arm::HeldOut } else { Arm::Helped };
        let probability = if visit.held_out { visit.holdout_probability } else { 1.0 - visit.holdout_probability };
        Self {
            stratum: Stratum::of(visit),
            arm,
            weight: Weight::from_probability(probability),
            fate: Fate::of(visit),
            bytes: visit.assets.iter().fold(0, |sum, asset| sum.saturating_add(asset.bytes)),
        }
    }
}

impl Figures {
    /// A view was shown.
    pub(super) fn shown(&mut self, held_out: bool) {
        let account = self.account_mut(held_out);
        account.shown = account.shown.saturating_add(1);
    }

    /// Adds a view, `age` after the first. `first` tells whether it is its client's first of the day in its stratum.
    pub(super) fn add(&mut self, view: &Closed, first: bool, age: Duration) {
        let Closed { stratum, arm, weight, fate, bytes } = *view;
        self.account_mut(arm == Arm::HeldOut).add(fate);
        if let Fate::Timed(time) = fate {
            self.strata.add(stratum, arm, &Observation { time, weight, first_of_client: first });
            self.look_if_due(age);
        }
        if matches!(fate, Fate::Timed(_) | Fate::NothingLoaded) {
            self.strata.add_bytes(stratum, arm, bytes, weight, first);
        }
    }

    /// Takes the first look, if a day has passed and it was not taken.
    pub(super) fn look_if_due(&mut self, age: Duration) {
        if self.first_look.is_none() && age >= FIRST_LOOK_AFTER {
            self.first_look = Some(self.effective().max(ENOUGH));
        }
    }

    /// A view is over that is not compared here, as its client held some of the page.
    pub(super) fn returned(&mut self, held_out: bool) {
        let account = self.account_mut(held_out);
        account.returning = account.returning.saturating_add(1);
    }

    /// Adds what another holds, of other views.
    pub(super) fn merge(&mut self, other: &Figures) {
        self.strata.merge(&other.strata);
        self.helped.merge(&other.helped);
        self.held_out.merge(&other.held_out);
        self.first_look = match (self.first_look, other.first_look) {
            (Some(own), Some(other)) => Some(own + other),
            (own, other) => own.or(other),
        };
    }

    /// Sums over the strata.
    pub(crate) fn strata(&self) -> &Strata<Stratum> {
        &self.strata
    }

    /// The fate of the views of an arm.
    pub(crate) fn account(&self, held_out: bool) -> &Account {
        if held_out { &self.held_out } else { &self.helped }
    }

    fn account_mut(&mut self, held_out: bool) -> &mut Account {
        if held_out { &mut self.held_out } else { &mut self.helped }
    }

    /// Effective hold-outs at the first look, once it was taken.
    pub(crate) fn first_look(&self) -> Option<f64> {
        self.first_look
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

    /// Bytes of heap.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.strata.bytes()
    }

    fn effective(&self) -> f64 {
        self.strata.iter().map(|(_, arms)| arms.held_out.effective()).sum()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.helped.write(out);
        self.held_out.write(out);
        write_number(self.first_look.map_or(0, f64::to_bits), out);
        self.strata.write(Stratum::code, out);
    }

    pub(super) fn read(input: &mut &[u8]) -> Result<Self, RecordError> {
        let (helped, held_out) = (Account::read(input)?, Account::read(input)?);
        let first_look = Some(f64::from_bits(read_number(input)?)).filter(|first| first.is_finite() && *first > 0.0);
        let strata = Strata::read(input, Stratum::of_code)?;
        Ok(Self { strata, helped, held_out, first_look })
    }

    #[cfg(test)]
    pub(crate) fn of(views: impl IntoIterator<Item = (Arm, Duration)>) -> Self {
        let mut figures = Self::default();
        let stratum = Stratum { outlet: 0, returning: false, phone: false };
        for (arm, time) in views {
            figures.shown(arm == Arm::HeldOut);
            let view = Closed { stratum, arm, weight: Weight::ONE, fate: Fate::Timed(time), bytes: 50_000 };
            figures.add(&view, true, Duration::ZERO);
        }
        figures
    }
}

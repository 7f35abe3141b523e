//! Reports of browsers on page views, by arm and stratum.

use std::time::Duration;

use headstart::learn::ClientClass;
use headstart::{BeaconReport, Outlet, RoundTrip};
use headstart_gain::{Arm, ENOUGH, Look, Observation, RecordError, Strata, Weight, read_number, write_number};

use super::figures::FIRST_LOOK_AFTER;

/// The metrics that are compared, in the order of [`BrowserFigures::metrics`].
pub(crate) const METRICS: [(&str, &str); 4] = [
    ("lcp", "largest contentful paint"),
    ("fcp", "first contentful paint"),
    ("ttfb", "first byte of the response"),
    ("early", "first byte of a 103"),
];

/// Times in browsers by stratum and arm, and which hinted assets were used.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct BrowserFigures {
    pub(super) metrics: [Strata<BrowserStratum>; METRICS.len()],
    /// Reports, with help and held out.
    pub(crate) helped: u64,
    pub(crate) held_out: u64,
    /// Hinted assets of reported views, and those of them that the page has used.
    pub(crate) hinted: u64,
    pub(crate) used: u64,
    pub(super) first_look: Option<f64>,
}

/// Views that are compared with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BrowserStratum {
    outlet: u8,
    pub(crate) returning: bool,
    pub(crate) phone: bool,
    round_trip: u8,
}

const OUTLETS: [&str; 4] = ["103", "link", "push", "other"];
const ROUND_TRIPS: [&str; 4] = ["unknown", "near", "middle", "far"];

impl BrowserStratum {
    fn of(report: &BeaconReport) -> Self {
        let outlet = match report.outlet {
            Outlet::EarlyHints => 0,
            Outlet::Link => 1,
            Outlet::Push => 2,
            _ => 3,
        };
        let round_trip = match report.round_trip {
            RoundTrip::Near => 1,
            RoundTrip::Middle => 2,
            RoundTrip::Far => 3,
            _ => 0,
        };
        Self { outlet, returning: report.returning, phone: report.class == ClientClass::Phone, round_trip }
    }

    pub(crate) fn outlet(self) -> &'static str {
        OUTLETS.get(usize::from(self.outlet)).copied().unwrap_or("other")
    }

    pub(crate) fn round_trip(self) -> &'static str {
        ROUND_TRIPS.get(usize::from(self.round_trip)).copied().unwrap_or("unknown")
    }

    fn code(self) -> u64 {
        let flags = u64::from(self.returning) << 2 | u64::from(self.phone) << 3;
        u64::from(self.outlet) | flags | u64::from(self.round_trip) << 4
    }

    pub(super) fn of_code(code: u64) -> Option<Self> {
        let bit = |place: u64| code >> place & 1 == 1;
        let (outlet, round_trip) = ((code & 3) as u8, (code >> 4) as u8);
        (code < 64).then(|| Self { outlet, returning: bit(2), phone: bit(3), round_trip })
    }
}

impl BrowserFigures {
    /// Adds a report, `age` after the first view. Reports of an A/A comparison are left out.
    pub(super) fn add(&mut self, report: &BeaconReport, age: Duration) {
        if report.aa {
            return;
        }
        let arm = if report.held_out { Arm::HeldOut } else { Arm::Helped };
        let chance = report.holdout_probability;
        let weight = Weight::from_probability(if report.held_out { chance } else { 1.0 - chance });
        let count = if report.held_out { &mut self.held_out } else { &mut self.helped };
        *count = count.saturating_add(1);
        self.hinted = self.hinted.saturating_add(report.hinted.into());
        self.used = self.used.saturating_add(report.used.iter().filter(|used| **used).count() as u64);
        let times = [
            report.largest_contentful_paint,
            report.first_contentful_paint,
            report.first_byte,
            report.interim_response,
        ];
        for (strata, time) in self.metrics.iter_mut().zip(times) {
            let Some(time) = time else { continue };
            // A network has one vote in ten minutes, so two reports are seldom of one client.
            strata.add(BrowserStratum::of(report), arm, &Observation { time, weight, first_of_client: true });
        }
        self.look_if_due(age);
    }

    /// Takes the first look, if a day has passed and it was not taken.
    pub(super) fn look_if_due(&mut self, age: Duration) {
        if self.first_look.is_none() && age >= FIRST_LOOK_AFTER {
            self.first_look = Some(self.effective().max(ENOUGH));
        }
    }

    /// Adds what another holds, of other reports.
    pub(super) fn merge(&mut self, other: &Self) {
        for (own, other) in self.metrics.iter_mut().zip(&other.metrics) {
            own.merge(other);
        }
        let counts = [&mut self.helped, &mut self.held_out, &mut self.hinted, &mut self.used];
        for (own, other) in counts.into_iter().zip([other.helped, other.held_out, other.hinted, other.used]) {
            *own = own.saturating_add(other);
        }
        self.first_look = match (self.first_look, other.first_look) {
            (Some(own), Some(other)) => Some(own + other),
            (own, other) => own.or(other),
        };
    }

    /// The strata of a metric, by its place in [`METRICS`].
    pub(crate) fn metric(&self, at: usize) -> Option<&Strata<BrowserStratum>> {
        self.metrics.get(at)
    }

    pub(crate) fn reports(&self) -> u64 {
        self.helped.saturating_add(self.held_out)
    }

    pub(crate) fn first_look(&self) -> Option<f64> {
        self.first_look
    }

    pub(crate) fn look(&self) -> Look {
        let at = self.first_look.and_then(|first| Look::at(self.effective(), first));
        at.unwrap_or_else(Look::first)
    }

    /// Effective hold-outs of the metric that has most.
    fn effective(&self) -> f64 {
        let of =
            |strata: &Strata<BrowserStratum>| strata.iter().map(|(_, arms)| arms.held_out.effective()).sum::<f64>();
        self.metrics.iter().map(of).fold(0.0, f64::max)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for count in [self.helped, self.held_out, self.hinted, self.used] {
            write_number(count, out);
        }
        write_number(self.first_look.map_or(0, f64::to_bits), out);
        self.metrics.iter().for_each(|strata| strata.write(BrowserStratum::code, out));
    }

    pub(super) fn read(input: &mut &[u8]) -> Result<Self, RecordError> {
        let mut figures = Self {
            helped: read_number(input)?,
            held_out: read_number(input)?,
            hinted: read_number(input)?,
            used: read_number(input)?,
            ..Self::default()
        };
        figures.first_look =
            Some(f64::from_bits(read_number(input)?)).filter(|first| first.is_finite() && *first > 0.0);
        for strata in &mut figures.metrics {
            *strata = Strata::read(input, BrowserStratum::of_code)?;
        }
        Ok(figures)
    }

    /// The most that it can take: three outlets, two kinds of clients and of devices, four round trips, two arms.
    #[cfg(test)]
    pub(super) const MAX_BYTES: usize = METRICS.len() * 3 * 2 * 2 * 4 * 2 * headstart_gain::BINS * 10;
}

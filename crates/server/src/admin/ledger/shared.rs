//! Figures that add up over the servers of a fleet.
//!
//! A measurement is told once, as bytes, and from then on counts among those of all: a server knows all that any server
//! has told, itself too, so all of them show the same. Accounts hold views that are over.

use std::time::{Duration, SystemTime};

use headstart::fleet;
use headstart::{BeaconReport, VisitReport};
use headstart_gain::{RecordError, read_number, write_number};

use super::Ledger;
use super::browser::BrowserFigures;
use super::figures::{Closed, Figures};

/// The first byte of figures that are told.
const VERSION: u8 = 1;

/// Sums of several servers, or what is to be added to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    pub(crate) all_pages: Figures,
    pub(crate) browser: BrowserFigures,
    /// When the first view was, in seconds since 1970.
    since: Option<u64>,
}

impl Sums {
    /// How long they have been gathered.
    pub(crate) fn age(&self) -> Duration {
        let since = self.since.unwrap_or_else(seconds);
        Duration::from_secs(seconds().saturating_sub(since))
    }

    fn merge(&mut self, other: &Sums) {
        self.all_pages.merge(&other.all_pages);
        self.browser.merge(&other.browser);
        self.since = match (self.since, other.since) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        let age = self.age();
        self.all_pages.look_if_due(age);
        self.browser.look_if_due(age);
    }

    fn write(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        write_number(self.since.unwrap_or_default(), &mut out);
        self.all_pages.write(&mut out);
        self.browser.write(&mut out);
        out
    }

    fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        let (version, mut input) = bytes.split_first().ok_or(RecordError)?;
        if *version != VERSION {
            return Err(RecordError);
        }
        let input = &mut input;
        let since = Some(read_number(input)?).filter(|since| *since > 0);
        let sums = Sums { since, all_pages: Figures::read(input)?, browser: BrowserFigures::read(input)? };
        if input.is_empty() { Ok(sums) } else { Err(RecordError) }
    }
}

/// Sums that a ledger shares with others.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// It shares.
    on: bool,
    /// Sums that were measured here and not told.
    untold: Sums,
    /// Sums that any server has told.
    known: Sums,
}

impl Shared {
    pub(super) fn visit(&mut self, view: &Closed, first: bool, visit: &VisitReport) {
        if self.on && !visit.aa {
            self.untold.since.get_or_insert_with(seconds);
            self.untold.all_pages.add(view, first, Duration::ZERO);
        }
    }

    pub(super) fn report(&mut self, report: &BeaconReport) {
        if self.on {
            self.untold.since.get_or_insert_with(seconds);
            self.untold.browser.add(report, Duration::ZERO);
        }
    }

    fn take(&mut self, most: usize) -> Option<Vec<u8>> {
        if self.untold == Sums::default() {
            return None;
        }
        let told = self.untold.write();
        if told.len() > most {
            return None;
        }
        self.untold = Sums::default();
        // As the others read it.
        self.known.merge(&Sums::read(&told).ok()?);
        Some(told)
    }
}

impl Ledger {
    /// From now on what is measured is for others too.
    pub(crate) fn share(&self) {
        self.lock().shared.on = true;
    }

    /// The sums of all servers of the fleet, as far as they are known here; `None` without a fleet.
    pub(crate) fn fleet(&self) -> Option<Sums> {
        let shared = self.lock().shared.clone();
        shared.on.then(|| {
            let mut sums = shared.known;
            sums.merge(&shared.untold);
            sums
        })
    }
}

impl fleet::Figures for Ledger {
    fn take(&self, most: usize) -> Option<Vec<u8>> {
        self.lock().shared.take(most)
    }

    fn add(&self, told: &[u8]) -> bool {
        let Ok(told) = Sums::read(told) else { return false };
        self.lock().shared.known.merge(&told);
        true
    }

    fn known(&self) -> Vec<u8> {
        self.lock().shared.known.write()
    }

    fn replace(&self, known: &[u8]) -> bool {
        let Ok(known) = Sums::read(known) else { return false };
        self.lock().shared.known = known;
        true
    }
}

fn seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use headstart::fleet::Figures as _;
    use headstart_gain::{Arm, Weight};

    use super::super::account::Fate;
    use super::super::figures::Stratum;
    use super::*;

    fn ledger() -> Ledger {
        let ledger = Ledger::new(None);
        ledger.share();
        ledger
    }

    /// A view that took so long, some of them held out.
    fn view(number: u64) -> (Closed, bool) {
        let arm = if number.is_multiple_of(4) { Arm::HeldOut } else { Arm::Helped };
        let fate = match number % 11 {
            0 => Fate::NothingLoaded,
            1 => Fate::CutOff,
            _ => Fate::Timed(Duration::from_micros(80_000 + number * 7919 % 90_000)),
        };
        let stratum = Stratum::of_code(number % 7).expect("a code");
        let weight = Weight::from_probability(if arm == Arm::HeldOut { 1.0 / 32.0 } else { 31.0 / 32.0 });
        (Closed { stratum, arm, weight, fate, bytes: number * 100 }, !number.is_multiple_of(3))
    }

    fn add(ledger: &Ledger, number: u64) {
        let (view, first) = view(number);
        let mut state = ledger.lock();
        state.shared.untold.since.get_or_insert_with(seconds);
        state.shared.untold.all_pages.add(&view, first, Duration::ZERO);
    }

    fn tell(from: &Ledger, to: &[&Ledger], most: usize) -> bool {
        let told = from.take(most);
        for to in to {
            assert!(told.as_ref().is_none_or(|told| to.add(told)));
        }
        told.is_some()
    }

    #[test]
    fn figures_of_several_servers_equal_those_of_one_that_saw_all() {
        let servers: Vec<Ledger> = (0..4).map(|_| ledger()).collect();
        let one = ledger();
        for number in 0..600 {
            add(&servers[number as usize % 4], number);
            add(&one, number);
            if number % 17 == 0 {
                let from = number as usize / 17 % 4;
                let others: Vec<&Ledger> =
                    servers.iter().enumerate().filter(|(at, _)| *at != from).map(|(_, to)| to).collect();
                tell(&servers[from], &others, usize::MAX);
            }
        }
        for from in 0..4 {
            let others: Vec<&Ledger> =
                servers.iter().enumerate().filter(|(at, _)| *at != from).map(|(_, to)| to).collect();
            tell(&servers[from], &others, usize::MAX);
        }
        tell(&one, &[], usize::MAX);
        for server in &servers {
            assert_eq!(server.known(), servers[0].known());
            let all = |server: &Ledger| server.fleet().expect("it shares").all_pages;
            assert_eq!(all(server), all(&one));
        }
    }

    #[test]
    fn one_that_comes_late_or_restarts_knows_what_was_told_and_nothing_twice() {
        let (early, late) = (ledger(), ledger());
        (0..50).for_each(|number| add(&early, number));
        assert!(tell(&early, &[], usize::MAX));
        (50..60).for_each(|number| add(&early, number));
        assert!(late.replace(&early.known()));
        assert!(tell(&early, &[&late], usize::MAX));
        assert_eq!(late.known(), early.known());
        let views = late.fleet().expect("it shares").all_pages.account(false).closed();
        assert_eq!(views, (0..60).filter(|number| number % 4 != 0).count() as u64);
    }

    #[test]
    fn what_has_no_room_waits_and_what_is_no_record_is_left_aside() {
        let (one, other) = (ledger(), ledger());
        assert!(one.take(usize::MAX).is_none(), "nothing was measured");
        (0..50).for_each(|number| add(&one, number));
        assert!(one.take(20).is_none());
        let told = one.take(4096).expect("there is room");
        let before = other.known();
        for end in 0..told.len() {
            assert!(!other.add(&told[..end]) && !other.replace(&told[..end]), "cut at {end}");
        }
        assert!(!other.add(&[&[9], &told[1..]].concat()), "another version");
        assert_eq!(other.known(), before);
        assert!(Ledger::new(None).fleet().is_none(), "one alone shows its own only");
    }
}

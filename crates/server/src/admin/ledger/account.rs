//! The fate of the views of one arm: which of them were timed, and why others were not.

use std::time::Duration;

use headstart::VisitReport;
use headstart_gain::{RecordError, read_number, write_number};

/// The use of a finished view for the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All that was planned for it and that it loaded was there after so long.
    Timed(Duration),
    /// Nothing was planned for the page yet.
    NothingPlanned,
    /// It asked for nothing that was planned: it held all of it, or its requests did not say where they belong.
    NothingLoaded,
    /// It was left before its assets were there, which says nothing of how long they take.
    CutOff,
}

impl Fate {
    pub(super) fn of(visit: &VisitReport) -> Self {
        match visit.complete {
            _ if visit.planned == 0 => Fate::NothingPlanned,
            _ if visit.cut_off => Fate::CutOff,
            Some(complete) => Fate::Timed(complete),
            None => Fate::NothingLoaded,
        }
    }
}

/// Views of one arm. Every view that was shown is in one of the other counts once it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) shown: u64,
    pub(crate) timed: u64,
    pub(crate) nothing_planned: u64,
    pub(crate) nothing_loaded: u64,
    pub(crate) cut_off: u64,
    /// On a page's own account: views of clients that held some of it, which are compared for the site alone.
    pub(crate) returning: u64,
}

impl Account {
    pub(super) fn add(&mut self, fate: Fate) {
        let count = match fate {
            Fate::Timed(_) => &mut self.timed,
            Fate::NothingPlanned => &mut self.nothing_planned,
            Fate::NothingLoaded => &mut self.nothing_loaded,
            Fate::CutOff => &mut self.cut_off,
        };
        *count = count.saturating_add(1);
    }

    /// Views that are over.
    pub(crate) fn closed(&self) -> u64 {
        let parts = [self.timed, self.nothing_planned, self.nothing_loaded, self.cut_off, self.returning];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// Views that are still open.
    pub(crate) fn open(&self) -> u64 {
        self.shown.saturating_sub(self.closed())
    }

    pub(super) fn merge(&mut self, other: &Account) {
        for (own, other) in self.counts_mut().into_iter().zip(other.counts()) {
            *own = own.saturating_add(other);
        }
    }

    fn counts(&self) -> [u64; 6] {
        [self.shown, self.timed, self.nothing_planned, self.nothing_loaded, self.cut_off, self.returning]
    }

    fn counts_mut(&mut self) -> [&mut u64; 6] {
        [
            &mut self.shown,
            &mut self.timed,
            &mut self.nothing_planned,
            &mut self.nothing_loaded,
            &mut self.cut_off,
            &mut self.returning,
        ]
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.counts().into_iter().for_each(|count| write_number(count, out));
    }

    /// Reads an account. It has no open views: nobody will close those of another process.
    pub(super) fn read(input: &mut &[u8]) -> Result<Self, RecordError> {
        let mut account = Self::default();
        for count in account.counts_mut() {
            *count = read_number(input)?;
        }
        account.shown = account.closed();
        Ok(account)
    }
}

//! What one level of a page knows of an asset, by definition: from all visits, without sums or bits.

use std::collections::BTreeSet;

/// The naive learner's memory of a visit that counted.
pub(crate) struct Remembered {
    pub(crate) seconds: f64,
    pub(crate) page: usize,
    pub(crate) network: u64,
    /// In the order of requests.
    pub(crate) hits: Vec<usize>,
    pub(crate) mute: BTreeSet<usize>,
    /// Something was sent early on it.
    pub(crate) assisted: bool,
}

impl Remembered {
    pub(crate) fn second(&self) -> u64 {
        self.seconds as u64
    }

    /// Whether it is remembered one by one: it said something, or was helped.
    pub(crate) fn is_witness(&self) -> bool {
        self.assisted || !self.hits.is_empty()
    }
}

/// What is known at one level of a page.
pub(crate) struct Evidence<'a> {
    pub(crate) visits: Vec<&'a Remembered>,
    pub(crate) asset: usize,
    /// When the asset was first fetched here; else when a coarser level first knew of it.
    pub(crate) birth: u64,
    pub(crate) known: bool,
    /// Seconds from the learner's epoch to the start of the test.
    pub(crate) start: u64,
    /// By how much the thresholds are moved.
    pub(crate) slack: f64,
}

const DAY_SECONDS: u64 = 86_400;

/// Fewest pages of a level, fewest of a run, and the chances below which a run is a change and above which nothing is certain.
const SIBLINGS: usize = 2;
const RUN: usize = 3;
const CHANCE: f64 = 1e-3;
const ERROR: f64 = 0.03;

impl Evidence<'_> {
    fn is_late_comer(&self) -> bool {
        self.visits.first().is_some_and(|first| first.second() < self.birth)
    }

    /// Those of the visits that are remembered one by one.
    fn witnesses(&self, by_page: bool) -> Vec<&Remembered> {
        let all: Vec<&Remembered> = self.visits.iter().copied().filter(|visit| visit.is_witness()).collect();
        let is_last = |at: usize| {
            let twin = |later: &&Remembered| later.page == all[at].page && later.assisted == all[at].assisted;
            !by_page || !all[at + 1..].iter().any(twin)
        };
        let of = |assisted: bool| -> Vec<usize> {
            (0..all.len()).filter(|at| all[*at].assisted == assisted && is_last(*at)).collect()
        };
        let last = |of: &[usize], most: usize| of[of.len().saturating_sub(most)..].to_vec();
        let mut kept = last(&of(true), 12);
        kept.extend(last(&of(false), 32 - kept.len()));
        kept.sort_unstable();
        let kept: Vec<&Remembered> = kept.into_iter().map(|at| all[at]).collect();
        // Of a page that stands for many, the last says it, helped or not.
        let only_last = |at: &usize| !by_page || !kept[at + 1..].iter().any(|later| later.page == kept[*at].page);
        (0..kept.len()).filter(only_last).map(|at| kept[at]).collect()
    }

    /// What those say that say anything of the asset, in order of time.
    fn told(&self, by_page: bool) -> Vec<(&Remembered, bool)> {
        let first = self.birth + u64::from(self.is_late_comer());
        let speaks = |visit: &&Remembered| {
            visit.second() >= first
                && (visit.hits.contains(&self.asset) || !(self.known && visit.mute.contains(&self.asset)))
        };
        let witnesses = self.witnesses(by_page).into_iter();
        witnesses.filter(speaks).map(|visit| (visit, visit.hits.contains(&self.asset))).collect()
    }

    fn landmark(&self, second: u64) -> u64 {
        (self.start + second) / (8 * DAY_SECONDS)
    }

    /// The weight of a visit: a whole number of sixteenths at its landmark.
    fn gain(&self, second: u64) -> f64 {
        let since = (self.start + second) % (8 * DAY_SECONDS);
        (16.0 * (since as f64 / DAY_SECONDS as f64).exp2()).round()
    }

    /// The sum of the visits of the last landmark for which this holds.
    fn sum(&self, of: impl Fn(&Remembered) -> bool) -> f64 {
        let last = self.visits.last().map_or(0, |visit| self.landmark(visit.second()));
        let counted = self.visits.iter().filter(|visit| self.landmark(visit.second()) == last && of(visit));
        counted.map(|visit| self.gain(visit.second())).sum()
    }

    /// Visits since a second. One before it counts in part, as if it had lasted a quarter of its age at most.
    fn since(&self, second: u64) -> f64 {
        let newest = self.visits.last().map_or(0, |visit| visit.second()) + self.start;
        let last = self.visits.last().map_or(0, |visit| self.landmark(visit.second()));
        let mut before =
            self.visits.iter().filter(|visit| self.landmark(visit.second()) == last && visit.second() < second);
        let split = before.next_back().map_or(0.0, |visit| {
            let start = visit.second() + self.start;
            let fits = |level: u32| (((start >> level) + 1) << level) + (4 << level) <= newest + 1;
            let level = (0..31).take_while(|level| *level == 0 || fits(*level)).last().unwrap_or(0);
            let length = 1u64 << level;
            let rest = (start + length).saturating_sub(second + self.start).min(length);
            (self.gain(visit.second()) * rest as f64 / length as f64).floor()
        });
        self.sum(|visit| visit.second() >= second) + split
    }

    /// h and n where the last of these contradict all before them; `before` is what was known of them without a run.
    fn change(&self, told: &[(&Remembered, bool)], before: impl Fn(bool, usize) -> (f64, f64)) -> Option<(f64, f64)> {
        for fetched in [false, true] {
            let run = told.iter().rev().take_while(|(_, fetches)| *fetches == fetched).count();
            let (hits, visits) = before(fetched, run);
            if run < RUN || visits < RUN as f64 {
                continue;
            }
            let p = (hits / visits).clamp(ERROR, 1.0 - ERROR);
            let chance: f64 = if fetched { p } else { 1.0 - p };
            if chance.powf(run as f64) < CHANCE * (1.0 + self.slack) {
                return Some((if fetched { run as f64 } else { 0.0 }, run as f64));
            }
        }
        None
    }

    /// h and n of a level that stands for many pages.
    pub(crate) fn of_pages(&self) -> (f64, f64) {
        let told = self.told(true);
        let hits = told.iter().filter(|(_, fetched)| *fetched).count();
        if told.len() < SIBLINGS {
            return (0.0, 0.0);
        }
        let before =
            |fetched: bool, run: usize| ((hits - if fetched { run } else { 0 }) as f64, (told.len() - run) as f64);
        self.change(&told, before).unwrap_or((if hits < SIBLINGS { 0.0 } else { hits as f64 }, told.len() as f64))
    }

    /// h and n of the page itself.
    pub(crate) fn of_visits(&self, now: f64) -> (f64, f64) {
        let told = self.told(false);
        let (fetched, speaking) = (told.iter().filter(|(_, fetched)| *fetched).count() as f64, told.len() as f64);
        let scale = (-(now + self.start as f64 - (self.landmark_of_last() * 8 * DAY_SECONDS) as f64)
            / DAY_SECONDS as f64)
            .exp2()
            / 16.0;
        let hits = self.sum(|visit| visit.hits.contains(&self.asset));
        let mute = self.sum(|visit| self.known && visit.second() > self.birth && visit.mute.contains(&self.asset));
        let of_it = self.is_late_comer() && self.landmark(self.birth) == self.landmark_of_last() && hits > 0.0;
        let revealing = if of_it { self.gain(self.birth).min(hits) } else { 0.0 };
        let effective = (self.since(self.birth) - mute).max(0.0).max(hits) - revealing;
        let (summed_hits, summed) = ((hits - revealing) * scale, effective * scale);
        let change = self.change(&told, |which, run| {
            let lately = told
                .len()
                .checked_sub(run)
                .and_then(|at| told.get(at))
                .map_or(0.0, |(first, _)| self.since(first.second()));
            let hits_before = if which { (hits - lately).max(0.0) } else { hits };
            let visits = ((self.since(self.birth) - lately).max(0.0) - mute).max(0.0).max(hits_before);
            if visits * scale > (speaking - run as f64) * (1.0 + self.slack) {
                (hits_before * scale, visits * scale)
            } else {
                (if which { fetched - run as f64 } else { fetched }, speaking - run as f64)
            }
        });
        if let Some(change) = change {
            return change;
        }
        if summed < speaking * (1.0 + self.slack) {
            return (fetched, speaking);
        }
        let (p, q) = (summed_hits / summed.max(1e-6), fetched / speaking.max(1.0));
        let spread = (p * (1.0 - p)).max(0.02) / speaking.max(1.0);
        let differ = speaking >= 8.0 && (p - q).abs() > 3.0 * spread.sqrt() * (1.0 + self.slack);
        if differ { (fetched, speaking) } else { (summed_hits, summed) }
    }

    fn landmark_of_last(&self) -> u64 {
        self.visits.last().map_or(0, |visit| self.landmark(visit.second()))
    }
}

//! The cases: a visit, over a link, by a client, of a server.

use crate::link::Conditions;

use super::contest::{CONTESTANTS, Contestant, Way};
use super::lane::{Lane, Measured};
use super::site::{Page, Site};

/// A visit of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Visit {
    /// Its first.
    Cold,
    /// The same page again, in a new connection; all of it is held and fresh.
    Second,
    /// Another page, which shares half with the first.
    OtherPage,
    /// The same page after a deploy that changed one script.
    AfterDeploy,
}

impl Visit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AfterDeploy => "after a deploy",
            Self::Cold => "cold",
            Self::OtherPage => "second page",
            Self::Second => "second visit",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Case {
    pub(crate) visit: Visit,
    /// ms.
    pub(crate) round_trip: u64,
    /// Mbit/s.
    pub(crate) rate: u64,
    /// How long the server thinks over a page, ms.
    pub(crate) think: u64,
    /// The index into [`CONTESTANTS`].
    pub(crate) contestant: usize,
    pub(crate) way: Way,
}

impl Case {
    pub(crate) fn contestant(&self) -> &'static Contestant {
        &CONTESTANTS[self.contestant]
    }

    /// All cases, each as often as it is to be measured, in rounds, so that what drifts drifts for all.
    pub(crate) fn all(quick: bool) -> Vec<Self> {
        let links: &[(u64, u64)] =
            if quick { &[(100, 10)] } else { &[(100, 10), (20, 10), (200, 10), (100, 50), (20, 50), (200, 50)] };
        let rounds = if quick { 3 } else { 5 };
        let mut cases = Vec::new();
        for round in 0..rounds {
            // The wasted bytes are the same each time.
            let all = !quick || round == 0;
            for (round_trip, rate) in links {
                cases.extend(Self::each(Visit::Cold, *round_trip, *rate, 0, |_, _| true));
                let thinks = *rate == 10 && (all || round == 1);
                cases.extend(Self::each(Visit::Cold, *round_trip, *rate, 200, |one, _| thinks && one.thinks));
            }
            if quick && round < 2 {
                let ours = |one: &Contestant, _| one.name.starts_with("headstart") || one.name == "oracle";
                cases.extend([20, 200].into_iter().flat_map(|far| Self::each(Visit::Cold, far, 10, 0, ours)));
                let h2 = |one: &Contestant, way| one.name == "h2 order" && way == Way::Plain;
                cases.extend(Self::each(Visit::Cold, 20, 10, 0, h2));
            }
            for visit in [Visit::Second, Visit::OtherPage] {
                cases.extend(Self::each(visit, 100, 10, 0, |one, _| all && one.name != "oracle"));
            }
        }
        // Last, for the sites are not the same after it.
        for _ in 0..if quick { 1 } else { rounds } {
            cases.extend(Self::each(Visit::AfterDeploy, 100, 10, 0, |one, _| one.deploys));
        }
        cases
    }

    fn each(
        visit: Visit,
        round_trip: u64,
        rate: u64,
        think: u64,
        takes_part: impl Fn(&Contestant, Way) -> bool,
    ) -> Vec<Self> {
        let all = CONTESTANTS.iter().enumerate().flat_map(|(at, one)| one.ways.iter().map(move |way| (at, one, *way)));
        all.filter(|(_, one, way)| takes_part(one, *way))
            .map(|(contestant, _, way)| Self { visit, round_trip, rate, think, contestant, way })
            .collect()
    }

    /// Measures it once. What comes before the visit is loaded over a short, quick link.
    pub(crate) fn measure(&self, lane: &mut Lane) -> Result<Measured, String> {
        let conditions = Conditions::new(self.round_trip, self.rate);
        let quick = Conditions::new(2, 1_000);
        let one = self.contestant();
        let mut profile = lane.profile(self.way);
        let mut load = |lane: &Lane, page: fn(&Site) -> &Page, conditions| {
            lane.load(one, self.think, &mut profile, page, conditions)
        };
        if self.visit != Visit::Cold {
            load(lane, Site::one, quick)?;
        }
        if self.visit == Visit::AfterDeploy {
            lane.deploy(one, self.think)?;
        }
        let page: fn(&Site) -> &Page = if self.visit == Visit::OtherPage { Site::two } else { Site::one };
        load(lane, page, conditions)
    }
}

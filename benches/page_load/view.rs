//! The pages that are viewed in the browser, and their results.

use super::browser::{Expected, Painted};
use super::contest::{CONTESTANTS, Contestant, Way};
use super::lane::Lane;
use crate::link::Conditions;

/// Those who show in the browser: ours with 103 and with nothing, and who comes nearest without learning.
const IN_BROWSER: [&str; 5] = ["headstart", "headstart, nothing sent early", "node", "apache", "axum"];

/// A first visit in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct View {
    /// ms.
    pub(crate) round_trip: u64,
    /// Mbit/s.
    pub(crate) rate: u64,
    /// How long the server thinks over a page, ms.
    pub(crate) think: u64,
    /// The index into [`CONTESTANTS`].
    pub(crate) contestant: usize,
}

impl View {
    /// All views, in rounds.
    pub(crate) fn all(quick: bool) -> Vec<Self> {
        // Round trip, rate, thinking.
        let links: &[(u64, u64, u64)] = if quick {
            &[(100, 10, 0), (100, 10, 200)]
        } else {
            &[(100, 10, 0), (100, 10, 200), (20, 10, 0), (200, 10, 0), (20, 50, 0), (100, 50, 0), (200, 50, 0)]
        };
        let mut views = Vec::new();
        for _ in 0..if quick { 3 } else { 5 } {
            for (round_trip, rate, think) in links {
                let home = (*round_trip, *rate) == (100, 10);
                let takes_part = |one: &Contestant| {
                    let ours = one.name.starts_with("headstart");
                    let all = home && (*think == 0 || (one.thinks && !quick));
                    IN_BROWSER.contains(&one.name) && (ours || all)
                };
                let places = CONTESTANTS.iter().enumerate().filter(|(_, one)| takes_part(one));
                views.extend(places.map(|(contestant, _)| Self {
                    round_trip: *round_trip,
                    rate: *rate,
                    think: *think,
                    contestant,
                }));
            }
        }
        views
    }

    pub(crate) fn contestant(&self) -> &'static Contestant {
        &CONTESTANTS[self.contestant]
    }

    /// The server's help for a client that refuses pushes.
    pub(crate) fn way(&self) -> Way {
        if self.contestant().ways.contains(&Way::Hints) { Way::Hints } else { Way::Plain }
    }

    pub(crate) fn measure(&self, lane: &Lane) -> Result<Painted, String> {
        let conditions = Conditions::new(self.round_trip, self.rate);
        lane.browse(self.contestant(), self.think, Expected::All { hinted: self.way() == Way::Hints }, conditions)
    }
}

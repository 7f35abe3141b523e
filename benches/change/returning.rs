//! Visitors who come again and hold what they have fetched.

use super::histories::Histories;
use super::outcome::{Outcome, recall};
use super::row::Row;
use super::simulation::{MINUTE, Simulation};
use super::visitor::{Visitor, Who};

/// Clients that come again.
const CLIENTS: u64 = 60;

/// The views of strangers among those of visitors who hold everything.
pub(crate) fn holders(views: u64, shares: &[f64]) -> Vec<Row> {
    let needs = Histories::needs();
    let mut rows = Vec::new();
    for (cookies, target) in [(true, 0.95), (false, 0.9)] {
        for share in shares {
            let mut simulation = Simulation::new(31);
            let outcomes = simulation.visits(views, MINUTE, |random, n| {
                let who = if n < CLIENTS {
                    Who::Client(n)
                } else if random.chance(*share) {
                    Who::Client(random.below(CLIENTS))
                } else {
                    Who::Stranger
                };
                let label = u8::from(matches!(who, Who::Stranger));
                Visitor { who, label, keeps_cookies: cookies, ..Visitor::new("/", &needs) }
            });
            let late = outcomes.into_iter().skip(views as usize / 4);
            let strangers: Vec<Outcome> = late.filter(|outcome| outcome.label == 1).collect();
            let cookie = if cookies { "with the cookie" } else { "no cookie can be written" };
            let case = format!(
                "{:.0} % of views by clients who hold everything, {cookie}: recall of the others",
                share * 100.0
            );
            rows.push(Row::at_least(case, recall(&strangers), "", target));
        }
    }
    rows
}

//! What loads come to: medians, and ratios of loads of one round.

use super::contest::{NGINX, ORACLE, PLAIN};
use std::collections::BTreeSet;

use super::loads::{Loads, Results, Server};
use crate::page_load::contest::Way;
use crate::page_load::lane::Measured;
use crate::page_load::summary::median;

/// What others are held against.
pub(super) const NGINX_PLAIN: Server = (NGINX, Way::Plain);
pub(super) const OWN_PLAIN: Server = (PLAIN, Way::Plain);
pub(super) const BEST: Server = (ORACLE, Way::Push);

/// A figure of a load.
pub(super) type Figure = fn(&Measured) -> f64;

/// ms.
pub(super) fn render(one: &Measured) -> f64 {
    one.load.render.as_secs_f64() * 1_000.0
}

/// ms.
pub(super) fn total(one: &Measured) -> f64 {
    one.load.complete.as_secs_f64() * 1_000.0
}

/// KB.
pub(super) fn waste(one: &Measured) -> f64 {
    one.load.wasted as f64 / 1e3
}

impl Loads {
    /// The median over all rounds.
    pub(super) fn median(&self, server: Server, figure: Figure) -> Option<f64> {
        Some(median(self.cold.get(&server)?.values().map(figure).collect()))
    }

    /// The median of the ratios of loads of one round.
    pub(super) fn ratio(&self, server: Server, against: Server, figure: Figure) -> Option<f64> {
        let (ours, theirs) = (self.cold.get(&server)?, self.cold.get(&against)?);
        let pairs = ours.iter().filter_map(|(round, one)| Some(figure(one) / figure(theirs.get(round)?)));
        let ratios: Vec<f64> = pairs.collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }
}

/// Ratios of all pages.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    /// In ascending order; at least one.
    pub(super) ratios: Vec<f64>,
}

impl Spread {
    /// The value below which this share of the pages lies, by the nearest rank.
    pub(super) fn at(&self, share: f64) -> f64 {
        let last = self.ratios.len() - 1;
        self.ratios[((last as f64 * share).round() as usize).min(last)]
    }

    pub(super) fn median(&self) -> f64 {
        median(self.ratios.clone())
    }

    pub(super) fn worst(&self) -> f64 {
        self.at(1.0)
    }

    /// The share of the pages with at most this.
    pub(super) fn share_of(&self, most: f64) -> f64 {
        self.ratios.iter().filter(|ratio| **ratio <= most).count() as f64 / self.ratios.len() as f64
    }
}

impl Results {
    /// The loads of all pages of servers that think so long.
    pub(super) fn thinking(&self, think: u64) -> impl Iterator<Item = &Loads> {
        self.loads.iter().filter(move |loads| loads.think == think)
    }

    /// The ratios of all pages.
    pub(super) fn spread(&self, think: u64, server: Server, against: Server, figure: Figure) -> Option<Spread> {
        let ratios = self.thinking(think).filter_map(|loads| loads.ratio(server, against, figure));
        let mut ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        (!ratios.is_empty()).then_some(Spread { ratios })
    }
}

/// Who was loaded.
pub(super) fn servers(results: &Results) -> BTreeSet<Server> {
    results.loads.iter().flat_map(|loads| loads.cold.keys().copied()).collect()
}

pub(super) fn words((name, way): Server) -> String {
    match way {
        Way::Plain => name.to_owned(),
        _ => format!("{name}, {}", way.name()),
    }
}

//! The distribution of the times of one arm.

use std::time::Duration;

use crate::bins::{BINS, bin, bounds};
use crate::weight::Weight;

/// One view's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// From the navigation to the last asset that the page needed while it loaded, or whatever the caller measures.
    pub time: Duration,
    /// The inverse of the probability of the draw that put the view into its arm.
    pub weight: Weight,
    /// Whether it is the client's first view of the day in this sketch. Further views of one client are taken to say
    /// nothing new of how sure a figure is.
    pub first_of_client: bool,
}

/// The weighted distribution of times, in bins.
///
/// All sums are integers that only grow and stop at the largest one, so merging is commutative, associative and exact.
/// Ten bytes for each bin that was seen, at most 2.7 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Bins that were seen, ascending, with the sum of their weights.
    bins: Vec<(u16, u64)>,
    /// Sum of the weights.
    weight: u64,
    /// Sum of the squares of the weights.
    squares: u64,
    /// Views.
    views: u64,
    /// Views that were the first of their client.
    clients: u64,
}

impl Sketch {
    /// Adds a view. O(log bins), and O(bins) for a bin that was not seen before.
    pub fn add(&mut self, observation: &Observation) {
        let units = observation.weight.units();
        self.add_bin(bin(observation.time), units);
        self.squares = self.squares.saturating_add(units * units);
        self.views = self.views.saturating_add(1);
        self.clients = self.clients.saturating_add(u64::from(observation.first_of_client));
    }

    /// Adds what another sketch holds. O(bins).
    pub fn merge(&mut self, other: &Sketch) {
        for (bin, units) in &other.bins {
            self.add_bin(*bin, *units);
        }
        self.squares = self.squares.saturating_add(other.squares);
        self.views = self.views.saturating_add(other.views);
        self.clients = self.clients.saturating_add(other.clients);
    }

    /// How many views were added.
    pub fn views(&self) -> u64 {
        self.views
    }

    /// Whether no view was added.
    pub fn is_empty(&self) -> bool {
        self.views == 0
    }

    /// The weight of all views: how many views of the site they stand for.
    pub fn weight(&self) -> f64 {
        self.weight as f64 / f64::from(Weight::UNIT)
    }

    /// How many equally weighted views of different clients would say as much: (Σw)² / Σw² (Kish, "Survey Sampling",
    /// 1965), reduced to the share of first views.
    pub fn effective(&self) -> f64 {
        if self.squares == 0 {
            return 0.0;
        }
        let kish = (self.weight as f64).powi(2) / self.squares as f64;
        kish * (self.clients.min(self.views) as f64 / self.views as f64)
    }

    /// The time, in seconds, below which this share of the weight lies, interpolated inside its bin; `None` without
    /// views. O(bins).
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let target = share.clamp(0.0, 1.0) * self.weight as f64;
        let (last, _) = *self.bins.last()?;
        let mut below = 0.0;
        for (bin, units) in &self.bins {
            let units = *units as f64;
            if below + units >= target && units > 0.0 {
                return Some(inside(usize::from(*bin), (target - below) / units));
            }
            below += units;
        }
        Some(inside(usize::from(last), 1.0))
    }

    /// Bins that were seen, ascending, each with its share of the weight.
    pub fn shares(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let whole = (self.weight as f64).max(1.0);
        self.bins.iter().map(move |(bin, units)| (usize::from(*bin), *units as f64 / whole))
    }

    /// Bins that were seen, ascending, each with its weight in 1/256: what a figure can be recomputed from.
    pub fn rows(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.bins.iter().map(|(bin, units)| (usize::from(*bin), *units))
    }

    /// Bytes of heap.
    pub fn bytes(&self) -> usize {
        self.bins.capacity() * size_of::<(u16, u64)>()
    }

    /// Sum of the squares of the weights, in 1/65,536.
    pub fn squares(&self) -> u64 {
        self.squares
    }

    /// Views that were the first of their client.
    pub fn clients(&self) -> u64 {
        self.clients
    }

    /// A sketch from its sums, or `None` if they cannot be those of one.
    pub(crate) fn from_sums(bins: Vec<(u16, u64)>, squares: u64, views: u64, clients: u64) -> Option<Self> {
        let ascending = bins.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
        let in_range = bins.iter().all(|(bin, units)| usize::from(*bin) < BINS && *units > 0);
        let weight = bins.iter().fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let consistent = clients <= views && (views == 0) == bins.is_empty() && (squares == 0) == bins.is_empty();
        (ascending && in_range && consistent).then_some(Self { bins, weight, squares, views, clients })
    }

    fn add_bin(&mut self, bin: u16, units: u64) {
        match self.bins.binary_search_by_key(&bin, |(bin, _)| *bin) {
            Ok(at) => {
                if let Some((_, sum)) = self.bins.get_mut(at) {
                    *sum = sum.saturating_add(units);
                }
            }
            Err(at) => self.bins.insert(at, (bin, units)),
        }
        self.weight = self.weight.saturating_add(units);
    }
}

/// The point that lies this share of the way, on a logarithmic scale, through a bin.
pub(crate) fn inside(bin: usize, share: f64) -> f64 {
    let (low, high) = bounds(bin);
    if low == 0.0 { high * share } else { low * (high / low).powf(share.clamp(0.0, 1.0)) }
}

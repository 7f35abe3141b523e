//! The distribution of the times of one arm.

use std::time::Duration;

use crate::bins::{bin, bounds};
use crate::volume::effective;
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
    /// Bins that were seen, ascending.
    bins: Vec<u16>,
    /// The sum of the weights of each of them.
    sums: Vec<u64>,
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
        for (bin, units) in other.bins.iter().zip(&other.sums) {
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
    /// 1965), at most as many as there are, reduced to the share of first views.
    pub fn effective(&self) -> f64 {
        effective(self.weight, self.squares, self.views, self.clients)
    }

    /// The time, in seconds, below which this share of the weight lies, interpolated inside its bin; `None` without
    /// views. O(bins).
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let target = share.clamp(0.0, 1.0) * self.weight as f64;
        let last = *self.bins.last()?;
        let mut below = 0.0;
        for (bin, units) in self.bins.iter().zip(&self.sums) {
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
        self.rows().map(move |(bin, units)| (bin, units as f64 / whole))
    }

    /// Bins that were seen, ascending, each with its weight in 1/256: what a figure can be recomputed from.
    pub fn rows(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.bins.iter().zip(&self.sums).map(|(bin, units)| (usize::from(*bin), *units))
    }

    /// Sum of the squares of the weights in 1/256, views, and views that were the first of their client: with
    /// [`rows`](Self::rows) all that a sketch is.
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.squares, self.views, self.clients)
    }

    /// A sketch of bins, ascending, with their weights, and what [`counts`](Self::counts) gives.
    pub(crate) fn from_parts(rows: Vec<(u16, u64)>, (squares, views, clients): (u64, u64, u64)) -> Self {
        let weight = rows.iter().fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let (bins, sums) = rows.into_iter().unzip();
        Self { bins, sums, weight, squares, views, clients }
    }

    /// Bytes of heap.
    pub fn bytes(&self) -> usize {
        self.bins.capacity() * size_of::<u16>() + self.sums.capacity() * size_of::<u64>()
    }

    fn add_bin(&mut self, bin: u16, units: u64) {
        match self.bins.binary_search(&bin) {
            Ok(at) => {
                if let Some(sum) = self.sums.get_mut(at) {
                    *sum = sum.saturating_add(units);
                }
            }
            Err(at) => {
                // Sketches are many and grow seldom: no room is taken ahead.
                if self.bins.len() == self.bins.capacity() {
                    self.bins.reserve_exact(8);
                    self.sums.reserve_exact(8);
                }
                self.bins.insert(at, bin);
                self.sums.insert(at, units);
            }
        }
        self.weight = self.weight.saturating_add(units);
    }
}

/// The point that lies this share of the way, on a logarithmic scale, through a bin.
pub(crate) fn inside(bin: usize, share: f64) -> f64 {
    let (low, high) = bounds(bin);
    if low == 0.0 { high * share } else { low * (high / low).powf(share.clamp(0.0, 1.0)) }
}

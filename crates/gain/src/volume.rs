//! How many bytes the views of one arm transferred.

use crate::weight::Weight;

/// A view that transferred more counts as one that transferred so much: 64 MiB.
const MAX_UNITS: u64 = 1 << 20;

/// The weighted mean of the bytes of views, and how far they scatter.
///
/// All sums are integers that only grow and stop at the largest one, so merging is commutative, associative and exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub(crate) weight: u64,
    pub(crate) weight_squares: u64,
    pub(crate) views: u64,
    pub(crate) clients: u64,
    /// Σ w·x
    pub(crate) sum: u128,
    /// Σ w·x²
    pub(crate) squares: u128,
}

/// All that a [`Volume`] is: sums over its views, of the weight w in 1/256 and the bytes x in [`Volume::UNIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeSums {
    /// Views.
    pub views: u64,
    /// Views that were the first of their client.
    pub clients: u64,
    /// Σ w, in 1/256 of a view.
    pub weight: u64,
    /// Σ w², in 1/65536.
    pub weight_squares: u64,
    /// Σ w·x, in 1/256 of a [`Volume::UNIT`].
    pub sum: u128,
    /// Σ w·x², in 1/256 of its square.
    pub squares: u128,
}

impl Volume {
    /// Bytes are counted in units of so many.
    pub const UNIT: u64 = 64;

    /// The sums from which a figure can be recomputed.
    pub fn sums(&self) -> VolumeSums {
        let Volume { weight, weight_squares, views, clients, sum, squares } = *self;
        VolumeSums { views, clients, weight, weight_squares, sum, squares }
    }

    /// Adds a view that transferred so many bytes. O(1).
    pub fn add(&mut self, bytes: u64, weight: Weight, first_of_client: bool) {
        let (w, x) = (weight.units(), bytes.div_ceil(Self::UNIT).min(MAX_UNITS));
        // A weight is at most 2^16, so the products fit 64 bits.
        let (sum, squares) = (w.saturating_mul(x), w.saturating_mul(x * x));
        self.merge(&Volume {
            weight: w,
            weight_squares: w * w,
            views: 1,
            clients: u64::from(first_of_client),
            sum: sum.into(),
            squares: squares.into(),
        });
    }

    /// Adds what another holds. O(1).
    pub fn merge(&mut self, other: &Volume) {
        self.weight = self.weight.saturating_add(other.weight);
        self.weight_squares = self.weight_squares.saturating_add(other.weight_squares);
        self.views = self.views.saturating_add(other.views);
        self.clients = self.clients.saturating_add(other.clients);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// How many views were added.
    pub fn views(&self) -> u64 {
        self.views
    }

    /// How many equally weighted views of different clients would say as much.
    pub fn effective(&self) -> f64 {
        effective(self.weight, self.weight_squares, self.views, self.clients)
    }

    /// Mean bytes of a view; `None` without views.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0).then(|| self.sum as f64 / self.weight as f64 * Self::UNIT as f64)
    }

    /// The variance of the mean, square bytes.
    pub(crate) fn variance_of_mean(&self) -> f64 {
        let Some(mean) = self.mean() else { return f64::INFINITY };
        let mean_square = self.squares as f64 / self.weight as f64 * (Self::UNIT * Self::UNIT) as f64;
        let effective = self.effective();
        if effective <= 1.0 { f64::INFINITY } else { (mean_square - mean * mean).max(0.0) / (effective - 1.0) }
    }
}

/// (Σw)² / Σw² (Kish, "Survey Sampling", 1965), reduced to the share of views that were the first of their client.
pub(crate) fn effective(weight: u64, squares: u64, views: u64, clients: u64) -> f64 {
    if squares == 0 || views == 0 {
        return 0.0;
    }
    let kish = ((weight as f64).powi(2) / squares as f64).min(views as f64);
    kish * (clients.min(views) as f64 / views as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_weighted_and_a_large_view_is_clipped() {
        let mut volume = Volume::default();
        assert_eq!(volume.mean(), None);
        for (bytes, weight) in [(64_000, Weight::ONE), (640, Weight::from_probability(0.25))] {
            volume.add(bytes, weight, true);
        }
        // (64,000 + 4 · 640) / 5
        assert_eq!(volume.mean(), Some(13_312.0));
        let mut large = Volume::default();
        large.add(u64::MAX, Weight::ONE, true);
        assert_eq!(large.mean(), Some((64_u64 << 20) as f64));
    }
}

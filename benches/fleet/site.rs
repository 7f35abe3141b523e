//! Which pages are viewed, and what they need.

/// Pages of the site; some are viewed far more often than others (Zipf's law).
pub(crate) const PAGES: usize = 100_000;
/// Views a second at each server.
pub(crate) const VIEWS: u64 = 10;

/// A generator of numbers that is the same in every run.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// From 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = self.0 ^ self.0 >> 33;
        (word.wrapping_mul(0xff51_afd7_ed55_8ccd) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((self.share() * limit as f64) as usize).min(limit - 1)
    }

    /// The page of a view among so many: the inverse of the sum of Zipf's law, which is nearly a logarithm.
    pub(crate) fn page(&mut self, pages: usize) -> usize {
        ((pages as f64).powf(self.share()) as usize).min(pages - 1)
    }
}

/// What the paths of a page's own assets begin with: a server that knows only the others names them as well.
pub(crate) fn own(number: usize) -> String {
    format!("/own/{number}/")
}

/// The path of a page, and of the 22 assets that it needs: twelve of the site and ten of its own.
pub(crate) fn page(number: usize) -> (String, Vec<String>) {
    let shared = (0..12).map(|n| format!("/assets/{n}.css"));
    let own = (0..10).map(|n| format!("{}{n}.js", own(number)));
    (format!("/shop/{}/{number}/", number % 40), shared.chain(own).collect())
}

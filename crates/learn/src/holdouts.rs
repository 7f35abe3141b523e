//! How many views of a site may be held out.

use crate::site::Site;
use crate::sync::{AtomicU64, Ordering};

/// The chances that the views of each site had of late, on average, in units of 2^-32.
#[derive(Debug)]
pub(crate) struct Holdouts {
    means: Vec<AtomicU64>,
}

/// At most this part of a site's views is held out.
const MOST_OF_SITE: f32 = 1.0 / 16.0;

/// Over about so many views; a page that contradicts its plan is held out often for a while.
const VIEWS: u64 = 1024;

const ONE: f32 = 4_294_967_296.0;

impl Holdouts {
    /// For sites of numbers below `sites`.
    pub(crate) fn new(sites: usize) -> Self {
        Self { means: (0..sites).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The chance of a view of a page that is to be held out with the chance `of_page`: less, where many pages
    /// of the site are to be held out often.
    pub(crate) fn chance(&self, site: Site, of_page: f32) -> f32 {
        let Some(mean) = self.means.get(usize::from(site.index)) else { return 0.0 };
        let before = mean.load(Ordering::Relaxed);
        // Of threads that change it at once one may be lost: it is an average.
        let new = (of_page * ONE) as u64;
        mean.store(before - before / VIEWS + new / VIEWS, Ordering::Relaxed);
        let mean = before as f32 / ONE;
        if mean > MOST_OF_SITE { of_page * MOST_OF_SITE / mean } else { of_page }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_held_out_once_in_sixteen_at_most() {
        let (holdouts, site) = (Holdouts::new(1), Site { index: 0, salt: 0 });
        let chances: Vec<f32> = (0..8000).map(|_| holdouts.chance(site, 0.25)).collect();
        assert!(chances[0] > 0.2, "one page alone is not bounded");
        assert!(chances[7000..].iter().all(|chance| *chance < 0.065), "{:?}", chances.last());
        let rare: Vec<f32> =
            (0..8000).map(|n| holdouts.chance(site, if n % 10 == 0 { 0.25 } else { 1.0 / 64.0 })).collect();
        assert!(rare[7990] > 0.2, "{}", rare[7990]);
    }
}

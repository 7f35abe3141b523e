//! How many views of a site may be held out.

use crate::site::Site;
use crate::sync::{AtomicU64, Ordering};

/// The hold-outs that each site may still spend, in units of 2^-32 views.
#[derive(Debug)]
pub(crate) struct Holdouts {
    credits: Vec<AtomicU64>,
}

/// At most this part of a site's views is held out: each view earns so much, and spends its chance.
const EARNED: u64 = ONE / 16;

/// Most hold-outs that are saved, for a page that changes.
const MOST_SAVED: u64 = 64 * ONE;

const ONE: u64 = 1 << 32;

impl Holdouts {
    /// For sites of numbers below `sites`.
    pub(crate) fn new(sites: usize) -> Self {
        Self { credits: (0..sites).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The chance of a view of a page that is to be held out with the chance `of_page`: less, where the site has spent
    /// what it may. Of the first n views of a site the chances add up to n/16 at most, and of any n that
    /// follow one another to 64 more.
    pub(crate) fn chance(&self, site: Site, of_page: f32) -> f32 {
        let Some(credit) = self.credits.get(usize::from(site.index)) else { return 0.0 };
        let wanted = (of_page.clamp(0.0, 1.0) * ONE as f32) as u64;
        let mut chance = 0;
        let spend = |saved: u64| {
            let saved = saved + EARNED;
            chance = wanted.min(saved);
            Some((saved - chance).min(MOST_SAVED))
        };
        let _ = credit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        chance as f32 / ONE as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: Site = Site { index: 0, salt: 0 };

    #[test]
    fn of_the_first_views_of_a_site_one_in_sixteen_is_held_out_at_most() {
        let holdouts = Holdouts::new(1);
        let mut sum = 0.0;
        for view in 1..=8000 {
            sum += f64::from(holdouts.chance(SITE, 0.25));
            assert!(sum <= f64::from(view) / 16.0 + 1e-3, "{sum} of {view}");
        }
        assert!(sum > 499.0, "{sum}");
    }

    #[test]
    fn what_was_not_spent_is_there_for_a_page_that_changes() {
        let holdouts = Holdouts::new(1);
        (0..8000).for_each(|_| assert!(holdouts.chance(SITE, 1.0 / 64.0) > 0.015));
        let chances: Vec<f32> = (0..1000).map(|_| holdouts.chance(SITE, 0.25)).collect();
        assert!(chances[..300].iter().all(|chance| *chance > 0.24));
        assert!(chances.iter().sum::<f32>() <= 1000.0 / 16.0 + 64.0);
    }

    #[test]
    fn rare_pages_that_change_get_what_they_ask_for() {
        let holdouts = Holdouts::new(1);
        let rare: Vec<f32> =
            (0..8000).map(|n| holdouts.chance(SITE, if n % 10 == 0 { 0.25 } else { 1.0 / 64.0 })).collect();
        assert!(rare[7990] > 0.2, "{}", rare[7990]);
    }
}

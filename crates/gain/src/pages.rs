//! The heaviest pages, within a limit.

use std::collections::HashMap;
use std::hash::Hash;

use crate::arms::Arm;
use crate::sketch::Observation;
use crate::strata::Strata;

/// Arms by stratum for the pages with the most views; what is known of lighter ones is put together.
///
/// A newcomer takes the place of the lightest page when it was seen more often, so a flood of names that are seen once
/// displaces nothing. Memory: at most `max` pages, each with a sketch for each stratum and arm.
#[derive(Clone, Debug)]
pub struct Pages<P, K> {
    kept: HashMap<P, Strata<K>>,
    /// Views of the lightest page with a place, or fewer: views only grow, so this is looked up seldom.
    floor: u64,
    /// Views of pages without a place, by page, as many as there are places.
    waiting: HashMap<P, u64>,
    /// All that has no page of its own.
    rest: Strata<K>,
    max: usize,
}

impl<P: Clone + Eq + Hash + Ord, K: Copy + Ord> Pages<P, K> {
    /// Creates a table with room for `max` pages, at least one.
    pub fn new(max: usize) -> Self {
        Self { kept: HashMap::new(), floor: 0, waiting: HashMap::new(), rest: Strata::default(), max: max.max(1) }
    }

    /// Adds a view. O(log bins); O(pages) now and then, when a page may take the place of another.
    pub fn add(&mut self, page: &P, stratum: K, arm: Arm, observation: &Observation) {
        if let Some(strata) = self.kept.get_mut(page) {
            strata.add(stratum, arm, observation);
        } else if self.kept.len() < self.max || self.displaces(page) {
            self.kept.entry(page.clone()).or_default().add(stratum, arm, observation);
        } else {
            self.rest.add(stratum, arm, observation);
        }
    }

    /// The strata of a page that has a place.
    pub fn get(&self, page: &P) -> Option<&Strata<K>> {
        self.kept.get(page)
    }

    /// All views of pages without a place, together.
    pub fn rest(&self) -> &Strata<K> {
        &self.rest
    }

    /// Pages with a place, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&P, &Strata<K>)> {
        self.kept.iter()
    }

    /// Adds what another table holds. Pages without room here are added to the rest. O(pages · strata · bins).
    pub fn merge(&mut self, other: &Pages<P, K>) {
        let mut theirs: Vec<_> = other.kept.iter().collect();
        // The order of a hash map must not decide which page gets a place.
        theirs.sort_by(|(a, a_strata), (b, b_strata)| b_strata.views().cmp(&a_strata.views()).then(a.cmp(b)));
        for (page, strata) in theirs {
            if self.kept.contains_key(page) || self.kept.len() < self.max {
                self.kept.entry(page.clone()).or_default().merge(strata);
            } else {
                self.rest.merge(strata);
            }
        }
        self.rest.merge(&other.rest);
    }

    /// Bytes of heap, about.
    pub fn bytes(&self) -> usize {
        let pages: usize = self.kept.values().map(|strata| strata.bytes() + 2 * size_of::<(P, Strata<K>)>()).sum();
        pages + self.waiting.capacity() * 2 * size_of::<(P, u64)>() + self.rest.bytes()
    }

    /// Whether a page was seen more often without a place than the lightest one that has one; it is then given it.
    fn displaces(&mut self, page: &P) -> bool {
        if !self.waiting.contains_key(page) && self.waiting.len() >= self.max {
            // Everybody who waits loses a view; who has none left goes (Misra and Gries, "Finding repeated elements", 1982).
            self.waiting.retain(|_, views| {
                *views -= 1;
                *views > 0
            });
            return false;
        }
        let seen = self.waiting.entry(page.clone()).or_default();
        *seen += 1;
        let seen = *seen;
        if seen <= self.floor {
            return false;
        }
        let Some((lightest, views)) =
            self.kept.iter().map(|(page, strata)| (page, strata.views())).min_by_key(|(page, views)| (*views, *page))
        else {
            return false;
        };
        self.floor = views;
        if seen <= views {
            return false;
        }
        let lightest = lightest.clone();
        if let Some(strata) = self.kept.remove(&lightest) {
            self.rest.merge(&strata);
        }
        self.waiting.remove(page);
        true
    }
}

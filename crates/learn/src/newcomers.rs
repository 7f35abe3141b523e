//! Sites without a place, and the networks that have asked for them.

use crate::standing::MOST;

/// Sites that one network can speak for. Who invents names drives out only what it has named itself.
const VOTES: usize = 16;

/// Most networks that are remembered.
const MAX_ROWS: usize = 1024;

/// The sites without a place that each network was shown of late, as keyed hashes.
///
/// A network has a row of its own, so a flood of invented names from one takes nothing from the others: a site
/// has a place as soon as enough of the last 1,024 networks that asked for such sites have asked for it.
#[derive(Debug)]
pub(crate) struct Newcomers {
    rows: Vec<Row>,
    max: usize,
    /// Counts the votes.
    clock: u64,
}

#[derive(Debug)]
struct Row {
    network: u64,
    /// When it voted last.
    last: u64,
    sites: [u64; VOTES],
    /// The oldest of the sites.
    next: usize,
}

impl Newcomers {
    /// At most so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { rows: Vec::new(), max: (bytes / size_of::<Row>()).clamp(8, MAX_ROWS), clock: 0 }
    }

    /// Bytes of heap at most, beyond those of an empty table.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }

    /// A network, by a keyed hash, was shown a page of a site, by another. Returns from how many networks that is known,
    /// at most [`MOST`]. O(networks), some microseconds.
    pub(crate) fn vote(&mut self, site: u64, network: u64) -> u32 {
        self.clock += 1;
        let at = self.rows.iter().position(|row| row.network == network).or_else(|| self.row(network));
        if let Some(row) = at.and_then(|at| self.rows.get_mut(at)) {
            row.last = self.clock;
            if !row.sites.contains(&site) {
                if let Some(place) = row.sites.get_mut(row.next) {
                    *place = site;
                }
                row.next = (row.next + 1) % VOTES;
            }
        }
        self.rows.iter().filter(|row| row.sites.contains(&site)).take(MOST as usize).count() as u32
    }

    /// The site has a place now.
    pub(crate) fn forget(&mut self, site: u64) {
        for row in &mut self.rows {
            row.sites.iter_mut().filter(|other| **other == site).for_each(|other| *other = 0);
        }
    }

    /// A row for a network: a new one, or that of the network that voted least lately.
    fn row(&mut self, network: u64) -> Option<usize> {
        let new = Row { network, last: 0, sites: [0; VOTES], next: 0 };
        if self.rows.len() < self.max {
            self.rows.push(new);
            return Some(self.rows.len() - 1);
        }
        let (at, row) = self.rows.iter_mut().enumerate().min_by_key(|(_, row)| row.last)?;
        *row = new;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_invents_names_takes_nothing_from_others() {
        let mut newcomers = Newcomers::new(1 << 20);
        assert_eq!(newcomers.vote(7, 1), 1);
        for name in 1_000..100_000 {
            assert_eq!(newcomers.vote(name, 2), 1);
        }
        assert_eq!(newcomers.vote(7, 1), 1, "one network is one, however often it asks");
        assert_eq!(newcomers.vote(7, 3), 2);
        assert_eq!(newcomers.vote(7, 4), 3);
        newcomers.forget(7);
        assert_eq!(newcomers.vote(7, 5), 1);
    }

    #[test]
    fn memory_has_a_bound() {
        let mut newcomers = Newcomers::new(100 * size_of::<Row>());
        (0..10_000).for_each(|number| {
            newcomers.vote(number, number);
        });
        assert_eq!(newcomers.rows.len(), 100);
        assert!(newcomers.bytes() <= 128 * size_of::<Row>());
    }
}

//! How well known a site is: the networks that were shown its pages of late.

/// Networks that are told apart, at most. A site that as many know is displaced by none.
pub(crate) const MOST: u32 = 8;

/// For how many days a network counts: what is visited on working days only keeps its place over a holiday.
const DAYS: u16 = 7;

/// The networks that were shown pages of a site in the last seven days, counted up to eight.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// Each as a tag that is never 0, with the day.
    seen: [(u16, u16); MOST as usize],
    /// As many as a snapshot said, and the day of the last visit in it.
    inherited: (u32, u16),
}

impl Standing {
    /// The standing that a snapshot gave: so many networks, the last of them on this day.
    pub(crate) fn inherited(networks: u32, day: u16) -> Self {
        Self { inherited: (networks.min(MOST), day), ..Self::default() }
    }

    /// The networks that count on this day.
    pub(crate) fn networks(&self, day: u16) -> u32 {
        let (inherited, last) = self.inherited;
        let inherited = if is_recent(last, day) { inherited } else { 0 };
        let seen = self.seen.iter().filter(|(tag, seen)| *tag != 0 && is_recent(*seen, day)).count() as u32;
        seen.max(inherited)
    }

    /// Whether [`saw`](Self::saw) would change nothing.
    pub(crate) fn has(&self, network: u64, day: u16) -> bool {
        let tag = tag(network);
        self.seen.iter().any(|(seen, on)| *seen == tag && *on >= day) || self.seen.iter().all(|(_, on)| *on >= day)
    }

    /// A network, by a keyed hash, was shown a page. The one that was seen least lately gives way.
    pub(crate) fn saw(&mut self, network: u64, day: u16) {
        let tag = tag(network);
        let same = self.seen.iter().position(|(seen, _)| *seen == tag);
        let place = match same {
            Some(place) => self.seen.get_mut(place),
            None => {
                self.seen.iter_mut().min_by_key(|(tag, on)| (*tag != 0, *on)).filter(|(tag, on)| *tag == 0 || *on < day)
            }
        };
        if let Some(place) = place {
            *place = (tag, place.1.max(day));
        }
    }

    /// Joins what another learner knows.
    pub(crate) fn join(&mut self, networks: u32, day: u16) {
        let (known, last) = self.inherited;
        self.inherited = (known.max(networks.min(MOST)), last.max(day));
    }
}

fn is_recent(seen: u16, day: u16) -> bool {
    day.saturating_sub(seen) < DAYS
}

fn tag(network: u64) -> u16 {
    ((network >> 48) as u16).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: u64) -> u64 {
        number << 48
    }

    #[test]
    fn a_network_counts_once_and_for_a_week() {
        let mut standing = Standing::default();
        (0..5).for_each(|_| standing.saw(network(1), 100));
        assert!(standing.has(network(1), 100) && !standing.has(network(2), 100) && !standing.has(network(1), 101));
        standing.saw(network(2), 103);
        assert_eq!(standing.networks(103), 2);
        assert_eq!(standing.networks(107), 1);
        assert_eq!(standing.networks(110), 0);
    }

    #[test]
    fn as_many_are_counted_as_are_told_apart() {
        let mut standing = Standing::default();
        (1..100).for_each(|number| standing.saw(network(number), 7));
        assert_eq!(standing.networks(7), MOST);
        assert!(standing.has(network(99), 7), "no more is to be learned today");
        (1..4).for_each(|number| standing.saw(network(number), 9));
        assert_eq!((standing.networks(9), standing.networks(14)), (MOST, 3));
    }

    #[test]
    fn what_a_snapshot_said_fades_too() {
        let standing = Standing::inherited(40, 100);
        assert_eq!((standing.networks(106), standing.networks(107)), (MOST, 0));
    }
}

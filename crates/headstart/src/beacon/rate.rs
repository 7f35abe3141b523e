//! How many beacons are taken in a time, so that a flood of them costs little.

/// Networks are counted in so many counters: some share one.
const COUNTERS: usize = 4096;
/// Seconds that are counted together.
const PERIOD: u64 = 10;
/// Beacons of one network in a period, and of all.
const OF_NETWORK: u16 = 64;
const OF_ALL: u32 = 10_000;

/// Counters of a period, 8 KiB.
#[derive(Debug)]
pub(super) struct Rate {
    period: u64,
    all: u32,
    networks: Vec<u16>,
}

impl Default for Rate {
    fn default() -> Self {
        Self { period: 0, all: 0, networks: vec![0; COUNTERS] }
    }
}

impl Rate {
    /// Counts a beacon of a network, and returns whether it is within the limits. `time` is in seconds.
    pub(super) fn admits(&mut self, network: u64, time: u64) -> bool {
        let period = time / PERIOD;
        if period != self.period {
            self.period = period;
            self.all = 0;
            self.networks.fill(0);
        }
        let Some(count) = self.networks.get_mut((network % COUNTERS as u64) as usize) else { return false };
        if *count >= OF_NETWORK || self.all >= OF_ALL {
            return false;
        }
        *count += 1;
        self.all += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_and_all_together_are_limited() {
        let mut rate = Rate::default();
        let taken = |rate: &mut Rate, network, time| (0..1_000).filter(|_| rate.admits(network, time)).count();
        assert_eq!(taken(&mut rate, 1, 5), usize::from(OF_NETWORK));
        assert_eq!(taken(&mut rate, 2, 5), usize::from(OF_NETWORK), "another network has its own share");
        assert_eq!(taken(&mut rate, 1, 11), usize::from(OF_NETWORK), "the next period is another one");
        let all = (0..100_000).filter(|network| rate.admits(*network, 20)).count();
        assert_eq!(all as u32, OF_ALL);
    }
}

//! Whether a client was seen on this day.

/// Blocks of the filter; a power of two.
const BLOCKS: usize = 1 << 13;
/// Words of a block, which is as long as a cache line.
const WORDS: usize = 8;
/// Bits that each client sets.
const PER_CLIENT: u32 = 4;

/// The clients of a day, as a Bloom filter of 512 KiB whose bits of one client lie in one block (Putze, Sanders and Singler,
/// "Cache-, hash- and space-efficient Bloom filters", 2007). The more clients there are, the more new ones are taken for known
/// (of 300,000 1 in 80): a figure is then surer than it says, and never less sure.
#[derive(Debug)]
pub(super) struct Clients {
    day: u64,
    /// Empty until the first client is seen.
    blocks: Vec<[u64; WORDS]>,
}

impl Clients {
    #[cfg(test)]
    pub(super) const HEAP_BYTES: usize = BLOCKS * size_of::<[u64; WORDS]>();

    pub(super) fn new() -> Self {
        Self { day: 0, blocks: Vec::new() }
    }

    /// Notes a client, or a client in some context, given by its hash, and returns whether it is new on this day (days since
    /// 1970). Another day begins with nobody known. O(1).
    pub(super) fn is_new(&mut self, day: u64, hash: u64) -> bool {
        if self.day != day || self.blocks.is_empty() {
            self.day = day;
            self.blocks.clear();
            self.blocks.resize(BLOCKS, [0; WORDS]);
        }
        // The upper bits choose the block, and nine lower ones at a time a bit of it.
        let Some(block) = self.blocks.get_mut((hash >> 40) as usize % BLOCKS) else { return true };
        let mut new = false;
        for number in 0..PER_CLIENT {
            let place = (hash >> (9 * number)) as usize;
            let bit = 1 << (place % 64);
            if let Some(word) = block.get_mut(place / 64 % WORDS) {
                new |= *word & bit == 0;
                *word |= bit;
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher as _, RandomState};

    #[test]
    fn a_client_is_new_once_a_day() {
        let (mut clients, hasher) = (Clients::new(), RandomState::new());
        let hash = |client: u32| hasher.hash_one(client);
        let new = (0..20_000).filter(|client| clients.is_new(7, hash(*client))).count();
        assert!(new >= 19_990, "{new}");
        assert!((0..20_000).all(|client| !clients.is_new(7, hash(client))), "never twice");
        assert!(clients.is_new(8, hash(1)) && !clients.is_new(8, hash(1)));
        assert_eq!(clients.blocks.capacity() * size_of::<[u64; WORDS]>(), Clients::HEAP_BYTES);
    }
}

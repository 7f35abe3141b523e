//! Whether a client was seen on this day.

/// Words of the filter; a power of two.
const WORDS: usize = 1 << 16;
/// Bits that each client sets.
const PER_CLIENT: u32 = 4;

/// The clients of a day, as a Bloom filter of 512 KiB. The more clients there are, the more new ones are taken for known
/// (of 300,000 1 in 100): a figure is then surer than it says, and never less sure.
#[derive(Debug)]
pub(super) struct Clients {
    day: u64,
    /// Empty until the first client is seen.
    bits: Vec<u64>,
}

impl Clients {
    #[cfg(test)]
    pub(super) const HEAP_BYTES: usize = WORDS * size_of::<u64>();

    pub(super) fn new() -> Self {
        Self { day: 0, bits: Vec::new() }
    }

    /// Notes a client, or a client in some context, given by its hash, and returns whether it is new on this day (days since
    /// 1970). Another day begins with nobody known. O(1).
    pub(super) fn is_new(&mut self, day: u64, hash: u64) -> bool {
        if self.day != day || self.bits.is_empty() {
            self.day = day;
            self.bits.clear();
            self.bits.resize(WORDS, 0);
        }
        let mut new = false;
        for number in 0..PER_CLIENT {
            // Of two hashes as many as are wanted (Kirsch and Mitzenmacher, "Less hashing, same performance", 2006).
            let (start, step) = (hash as u32, (hash >> 32) as u32 | 1);
            let place = start.wrapping_add(step.wrapping_mul(number)) as usize;
            let (word, bit) = (place / 64 % WORDS, 1 << (place % 64));
            if let Some(word) = self.bits.get_mut(word) {
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
        assert_eq!(clients.bits.capacity() * 8, Clients::HEAP_BYTES);
    }
}

//! How often was this seen lately? Asked before a newcomer displaces something.

/// A count-min sketch with four rows of bytes that are halved as they fill
/// (Einziger, Friedman and Manes, "TinyLFU", 2017).
///
/// The answer is never below the true count since the last halving, and above it by
/// more than e/width of all counts with a chance below 2 %.
#[derive(Debug)]
pub(crate) struct Sketch {
    rows: Vec<u8>,
    mask: u64,
    added: usize,
}

const ROWS: usize = 4;

impl Sketch {
    /// A sketch of at most `bytes`, which is rounded down to a power of two; at least 256.
    pub(crate) fn new(bytes: usize) -> Self {
        let width = (bytes / ROWS).max(64);
        let width = 1usize << width.ilog2();
        Self { rows: vec![0; width * ROWS], mask: width as u64 - 1, added: 0 }
    }

    /// Counts `key`, a keyed hash, and says how often it has been counted, this time included.
    pub(crate) fn add(&mut self, key: u64) -> u8 {
        self.added += 1;
        if self.added > self.rows.len() / ROWS * 8 {
            self.halve();
        }
        let mut least = u8::MAX;
        for place in self.places(key) {
            if let Some(count) = self.rows.get_mut(place) {
                *count = count.saturating_add(1);
                least = least.min(*count);
            }
        }
        least
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.capacity()
    }

    fn places(&self, key: u64) -> [usize; ROWS] {
        let step = key.rotate_left(32) | 1;
        let width = self.mask as usize + 1;
        std::array::from_fn(|row| {
            let hash = key.wrapping_add(step.wrapping_mul(row as u64 + 1));
            row * width + ((hash ^ (hash >> 29)) & self.mask) as usize
        })
    }

    fn halve(&mut self) {
        self.added /= 2;
        for count in &mut self.rows {
            *count /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    #[test]
    fn the_frequent_stand_out_from_a_flood() {
        let keys = Keys::new([5; 16]);
        let mut sketch = Sketch::new(1 << 16);
        let (mut high, mut hot) = (0, 0);
        for n in 0..20_000 {
            high += u32::from(sketch.add(keys.network(n)) > 3);
            if n % 500 == 0 {
                hot = sketch.add(keys.network(1 << 40));
            }
        }
        assert!(hot >= 20, "{hot}");
        assert!(high < 400, "{high}");
    }
}

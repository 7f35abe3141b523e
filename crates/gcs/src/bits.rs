//! Bits out of bytes and into bytes, most significant bit first.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

/// A cursor over the bits of a slice. Copying it is a bookmark.
#[derive(Clone, Copy, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    bit: u64,
}

impl<'a> BitReader<'a> {
    /// Starts at the first bit of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, bit: 0 }
    }

    /// The number of bits already passed.
    pub const fn position(&self) -> u64 {
        self.bit
    }

    /// The number of bits left.
    pub const fn remaining(&self) -> u64 {
        (self.bytes.len() as u64 * 8).saturating_sub(self.bit)
    }

    /// Passes over `count` bits, or to the end if there are fewer.
    pub const fn skip(&mut self, count: u64) {
        let left = self.remaining();
        self.bit += if count < left { count } else { left };
    }

    /// The next `count` bits (at most 57) as a number; `None`, and no movement, if there are fewer.
    pub fn read(&mut self, count: u32) -> Option<u64> {
        debug_assert!(count <= 57);
        if u64::from(count) > self.remaining() {
            return None;
        }
        // In two steps, so that a count of 0 shifts by 63 and 1.
        let value = self.window() >> 1 >> 63u32.saturating_sub(count);
        self.bit += u64::from(count);
        Some(value)
    }

    /// The next bits, first one on top. At least 57 are real, or all that remain; the others are 0.
    #[inline]
    pub fn window(&self) -> u64 {
        let ahead = self.bytes.get(self.byte()..).and_then(<[u8]>::first_chunk);
        let word = ahead.map_or_else(|| self.last_word(), |chunk| u64::from_be_bytes(*chunk));
        word << (self.bit & 7)
    }

    /// The last bytes, fewer than eight.
    #[inline(never)]
    fn last_word(&self) -> u64 {
        let rest = self.bytes.get(self.byte()..).unwrap_or_default();
        if let Some(chunk) = self.bytes.last_chunk() {
            // One load, of bytes already passed as well.
            return u64::from_be_bytes(*chunk).checked_shl(64 - 8 * rest.len() as u32).unwrap_or(0);
        }
        rest.iter().zip((0..8).rev()).fold(0, |word, (&byte, place)| word | u64::from(byte) << (8 * place))
    }

    /// How many bits of the window are real.
    #[inline]
    pub(crate) fn real_bits(&self) -> u32 {
        u64::from(64 - (self.bit & 7) as u32).min(self.remaining()) as u32
    }

    /// Moves forward within what a window has shown to be there.
    #[inline]
    pub(crate) fn advance(&mut self, count: u32) {
        self.bit += u64::from(count);
    }

    /// The same bytes, read from `bit` on.
    pub(crate) const fn at(&self, bit: u64) -> Self {
        Self { bytes: self.bytes, bit }
    }

    #[inline]
    fn byte(&self) -> usize {
        usize::try_from(self.bit >> 3).unwrap_or(usize::MAX)
    }
}

/// Collects bits into bytes.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// The bits not yet in `bytes`, first one on top, zeros below.
    pending: u64,
    /// How many they are: 0 to 63.
    filled: u32,
}

#[cfg(feature = "alloc")]
impl BitWriter {
    /// Starts with no bits, and room for `bytes` bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), pending: 0, filled: 0 }
    }

    /// The number of bits written.
    pub fn position(&self) -> u64 {
        self.bytes.len() as u64 * 8 + u64::from(self.filled)
    }

    /// Appends the low `count` bits of `value` (1 to 64 of them; those above must be 0).
    #[inline]
    pub fn put(&mut self, value: u64, count: u32) {
        debug_assert!((1..=64).contains(&count) && (count == 64 || value >> count == 0));
        let free = 64 - self.filled;
        if count < free {
            self.pending |= value << (free - count);
            self.filled += count;
        } else {
            let spill = count - free;
            self.bytes.extend_from_slice(&(self.pending | value >> spill).to_be_bytes());
            // In two steps, so that nothing spilt shifts by 63 and 1.
            self.pending = value << 1 << (63 - spill);
            self.filled = spill;
        }
    }

    /// Appends `count` times the same bit.
    pub fn put_run(&mut self, bit: bool, count: u64) {
        let pattern = if bit { u64::MAX } else { 0 };
        let mut left = count;
        while left > 0 {
            let now = left.min(64) as u32;
            self.put(pattern >> (64 - now), now);
            left -= u64::from(now);
        }
    }

    /// The bytes, the last one filled up with `padding`.
    pub fn finish(mut self, padding: bool) -> Vec<u8> {
        let bytes = self.filled.div_ceil(8) as usize;
        let filler = if padding { u64::MAX.checked_shr(self.filled).unwrap_or(0) } else { 0 };
        let last = (self.pending | filler).to_be_bytes();
        self.bytes.extend(last.iter().take(bytes));
        self.bytes
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_at_every_alignment() {
        for offset in 0..64 {
            for count in 1..=57 {
                let value = 0x0123_4567_89ab_cdef_u64 >> (64 - count);
                let mut writer = BitWriter::default();
                writer.put_run(true, offset);
                writer.put(value, count);
                assert_eq!(writer.position(), offset + u64::from(count));
                let bytes = writer.finish(false);
                let mut reader = BitReader::new(&bytes);
                reader.skip(offset);
                assert_eq!(reader.read(count), Some(value), "offset {offset}, count {count}");
                assert!(reader.remaining() < 8);
            }
        }
    }

    #[test]
    fn padding_is_the_bit_asked_for() {
        let mut writer = BitWriter::default();
        writer.put(0b101, 3);
        assert_eq!(writer.clone().finish(false), [0b1010_0000]);
        assert_eq!(writer.finish(true), [0b1011_1111]);
        assert_eq!(BitWriter::default().finish(true), [0u8; 0]);
    }

    #[test]
    fn a_read_past_the_end_takes_nothing() {
        let mut reader = BitReader::new(&[0xa5]);
        assert_eq!(reader.read(9), None);
        assert_eq!(reader.read(0), Some(0));
        assert_eq!(reader.read(8), Some(0xa5));
        assert_eq!(reader.read(1), None);
        assert_eq!(reader.window(), 0);
        reader.skip(10);
        assert_eq!(reader.position(), 8);
    }
}

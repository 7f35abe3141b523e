//! Compact block filters.

use siphasher::sip::SipHasher24;

use crate::{BitReader, Code, Error, ErrorKind, Layout, PastRange, Profile, Tail, Unary};
#[cfg(feature = "alloc")]
use crate::{BitWriter, Encode};

/// The filter of BIP 158, with M and P free.
///
/// ```text
///  bytes 1, 3, 5 or 9     bits: each quotient ones, a zero, remainder in P bits   0..7
///       ┌──────────────┬─────────────────────────────────────────────────────────┬──────┐
///       │ CompactSize N│ gap 1, ... gap N (plain differences; the first from 0)   │ zero │
///       └──────────────┴─────────────────────────────────────────────────────────┴──────┘
/// ```
///
/// A value is `SipHash-2-4(key, item) * (N * M) >> 64`. N counts distinct items; two that share a value stay two values, a gap of
/// 0. The caller leaves out empty items, as the BIP says. N items that share their whole 64-bit hash would count as one here.
/// A reader takes any CompactSize, minimal or not, does not look behind the last value (neither btcd nor
/// rust-bitcoin does), and keeps values past the range; but N is checked against the bytes at hand, and `N * M` for overflow,
/// before anything is believed.
/// Sets of 2^31 items and more, 16 GiB of hashes, are not for this profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bip158 {
    k0: u64,
    k1: u64,
    m: u32,
    p: u8,
}

impl Bip158 {
    /// The basic filter: M = 784931, P = 19. The key is the first 16 bytes of the block hash, in internal byte order.
    pub const fn basic(key: [u8; 16]) -> Self {
        Self::new(key, 784_931, 19)
    }

    /// A filter with a false-positive rate of one in `m`; `p` is best at `log2(m / 1.497)`.
    ///
    /// # Panics
    /// If `m` is 0, `p` is over 32, or `m` is over `2^(p + 8)` (runs would be long beyond use); in a constant, that is a compile
    /// error. See [`checked`](Self::checked).
    pub const fn new(key: [u8; 16], m: u32, p: u32) -> Self {
        assert!(in_bounds(m, p), "m is 1 to 2^(p + 8), p is 0 to 32");
        let both = u128::from_le_bytes(key);
        Self { k0: both as u64, k1: (both >> 64) as u64, m, p: p as u8 }
    }

    /// The same for parameters from a configuration; `None` if they are out of bounds.
    pub const fn checked(key: [u8; 16], m: u32, p: u32) -> Option<Self> {
        if in_bounds(m, p) { Some(Self::new(key, m, p)) } else { None }
    }

    /// A count that the caller has checked.
    fn layout_for(&self, count: u64) -> Layout {
        Layout {
            code: Code {
                unary: Unary::OnesThenZero,
                less_one: false,
                padding: false,
                remainder_bits: u32::from(self.p),
            },
            range: count.saturating_mul(u64::from(self.m)).min(1 << 63),
            tail: Tail::Counted(count),
            past_range: PastRange::Kept,
        }
    }
}

const fn in_bounds(m: u32, p: u32) -> bool {
    m >= 1 && p <= 32 && m as u64 <= 1 << (p + 8)
}

impl Profile for Bip158 {
    fn hash(&self, key: &[u8]) -> u64 {
        SipHasher24::new_with_keys(self.k0, self.k1).hash(key)
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        ((u128::from(hash) * u128::from(layout.range)) >> 64) as u64
    }

    fn read_header(&self, bits: &mut BitReader<'_>) -> Result<Layout, Error> {
        let mut byte = || bits.read(8).ok_or(Error::new(ErrorKind::Truncated, 0));
        let width = match byte()? {
            0xfd => 2,
            0xfe => 4,
            0xff => 8,
            count => return self.believe(count, bits),
        };
        let mut count = 0;
        for place in 0..width {
            count |= byte()? << (8 * place);
        }
        self.believe(count, bits)
    }
}

impl Bip158 {
    /// The layout for a count that a header claims.
    fn believe(&self, count: u64, bits: &BitReader<'_>) -> Result<Layout, Error> {
        if count.checked_mul(u64::from(self.m)).is_none_or(|range| range > 1 << 63) {
            return Err(Error::new(ErrorKind::Header, 0));
        }
        if count.checked_mul(u64::from(self.p + 1)).is_none_or(|least| least > bits.remaining()) {
            return Err(Error::new(ErrorKind::Truncated, bits.position()));
        }
        Ok(self.layout_for(count))
    }
}

#[cfg(feature = "alloc")]
impl Encode for Bip158 {
    fn layout(&self, count: u64) -> Layout {
        self.layout_for(count)
    }

    fn write_header(&self, layout: &Layout, bits: &mut BitWriter) {
        let (Tail::Counted(count) | Tail::Exact(count)) = layout.tail else { return };
        let (marker, width) = match count {
            0..0xfd => return bits.put(count, 8),
            0xfd..=0xffff => (0xfd, 2),
            0x1_0000..=0xffff_ffff => (0xfe, 4),
            _ => (0xff, 8),
        };
        bits.put(marker, 8);
        for byte in count.to_le_bytes().into_iter().take(width) {
            bits.put(u64::from(byte), 8);
        }
    }
}

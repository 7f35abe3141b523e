//! The cookie of H2O.

use sha1::{Digest, Sha1};

use crate::{BitReader, Code, Error, Layout, PastRange, Profile, Tail, Unary};
#[cfg(feature = "alloc")]
use crate::{BitWriter, Encode, FixedRange};

/// The `h2o_casper` cookie of H2O's cache-aware server push (lib/http2/casper.c, commit edd7a120).
///
/// ```text
///       each: quotient zeros, a one, remainder in 6 bits     0..7
///      ┌────────────────────────────────────────────────────┬──────┐
///      │ gap 1, gap 2, ... (differences less one)            │ zero │     no header; the capacity is agreed upon
///      └────────────────────────────────────────────────────┴──────┘
/// ```
///
/// A value is the first four bytes of SHA-1 of the request path (query included), read as a number of the **server's own byte
/// order**, modulo `2^capacity_bits`. The remainder has 6 bits whatever the capacity, so a lone value can take
/// `2^capacity_bits / 64` bits of run: the default capacity, 13, spends 22 characters on one file. Zero padding reads as a run
/// without end, which makes the end plain, but truncation goes unnoticed. Values past the range, which H2O keeps
/// although no path has them, are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct H2oCasper {
    capacity_bits: u8,
    big_endian: bool,
}

impl H2oCasper {
    /// As H2O's `http2-casper: capacity-bits`, 1 to 15, on a little-endian server.
    ///
    /// # Panics
    /// Out of these bounds; in a constant, that is a compile error. See [`checked`](Self::checked).
    pub const fn new(capacity_bits: u32) -> Self {
        assert!(capacity_bits >= 1 && capacity_bits <= 15, "capacity_bits is 1 to 15");
        Self { capacity_bits: capacity_bits as u8, big_endian: false }
    }

    /// The same for a number from a configuration; `None` if it is out of bounds.
    pub const fn checked(capacity_bits: u32) -> Option<Self> {
        if capacity_bits >= 1 && capacity_bits <= 15 { Some(Self::new(capacity_bits)) } else { None }
    }

    /// For cookies made by a big-endian server.
    pub const fn big_endian(self) -> Self {
        Self { big_endian: true, ..self }
    }

    const fn the_layout(self) -> Layout {
        Layout {
            code: Code { unary: Unary::ZerosThenOne, less_one: true, padding: false, remainder_bits: 6 },
            range: 1 << self.capacity_bits,
            tail: Tail::Unfinished,
            past_range: PastRange::Dropped,
        }
    }
}

impl Default for H2oCasper {
    /// H2O's own default, 13 bits.
    fn default() -> Self {
        Self::new(13)
    }
}

impl Profile for H2oCasper {
    fn hash(&self, key: &[u8]) -> u64 {
        let digest = Sha1::digest(key);
        let bytes = digest.first_chunk::<4>().copied().unwrap_or_default();
        let number = if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        u64::from(number) & ((1 << self.capacity_bits) - 1)
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        hash & (layout.range - 1)
    }

    fn read_header(&self, _: &mut BitReader<'_>) -> Result<Layout, Error> {
        Ok(self.the_layout())
    }
}

#[cfg(feature = "alloc")]
impl Encode for H2oCasper {
    fn layout(&self, _: u64) -> Layout {
        self.the_layout()
    }

    fn write_header(&self, _: &Layout, _: &mut BitWriter) {}
}

#[cfg(feature = "alloc")]
impl FixedRange for H2oCasper {}

//! Cache-Digest, as drafted by the IETF, and the tool that came before it.

use sha2::{Digest, Sha256};

use crate::{BitReader, Code, Error, ErrorKind, Layout, MAX_REMAINDER_BITS, PastRange, Profile, Tail, Unary};
#[cfg(feature = "alloc")]
use crate::{BitWriter, Encode};

/// The digest of draft-ietf-httpbis-cache-digest-00 to -02 (03 and later replaced it by a cuckoo filter).
///
/// ```text
///  bits      5          5          each: quotient zeros, a one, remainder in log2(P) bits   0..7
///       ┌──────────┬──────────┬────────────────────────────────────────────────────────────┬──────┐
///       │ log2(N)  │ log2(P)  │ gap 1, gap 2, ... (differences less one)                    │ zero │
///       └──────────┴──────────┴────────────────────────────────────────────────────────────┴──────┘
/// ```
///
/// A value is the top `log2(N) + log2(P)` bits of SHA-256 of the URL, followed by its ETag if the digest is one of
/// validators ([`hash_validated`](Self::hash_validated)). N is the number of keys rounded to a power of two, in the
/// logarithm, as cache-digest.js does (the draft's "nearest" leaves 3 open). Truncation goes unnoticed, as in H2O; a value past
/// the range is an error, as there. A header of both fields 0, on which H2O shifts a word by its whole width, is the range of one
/// value here. The profile says what to write: reading takes N and P from the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheDigest {
    log2_p: u8,
}

impl CacheDigest {
    /// With a false-positive rate of about one in `2^log2_p`: 0 to 31.
    ///
    /// # Panics
    /// Out of these bounds; in a constant, that is a compile error. See [`checked`](Self::checked).
    pub const fn new(log2_p: u32) -> Self {
        assert!(log2_p <= 31, "log2_p is 0 to 31");
        Self { log2_p: log2_p as u8 }
    }

    /// The same for a number from a configuration; `None` if it is out of bounds.
    pub const fn checked(log2_p: u32) -> Option<Self> {
        if log2_p <= 31 { Some(Self::new(log2_p)) } else { None }
    }

    /// The hash of a URL with its ETag (quotes and `W/` included), for digests flagged `validators`.
    pub fn hash_validated(&self, url: &[u8], etag: &[u8]) -> u64 {
        top_of_sha256(&[url, etag])
    }
}

impl Default for CacheDigest {
    /// P = 128, as in the draft's example.
    fn default() -> Self {
        Self::new(7)
    }
}

impl Profile for CacheDigest {
    fn hash(&self, key: &[u8]) -> u64 {
        top_of_sha256(&[key])
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        top_bits(hash, layout)
    }

    fn read_header(&self, bits: &mut BitReader<'_>) -> Result<Layout, Error> {
        let log2_n = field(bits, 5)?;
        let log2_p = field(bits, 5)?;
        Ok(layout(Unary::ZerosThenOne, log2_n, log2_p))
    }
}

#[cfg(feature = "alloc")]
impl Encode for CacheDigest {
    fn layout(&self, count: u64) -> Layout {
        layout(Unary::ZerosThenOne, rounded_log2(count), u32::from(self.log2_p))
    }

    fn write_header(&self, layout: &Layout, bits: &mut BitWriter) {
        write_header(layout, 5, bits);
    }
}

/// The digest of Kazuho Oku's tool `h2-cache-digest-00` (commit 02d74014), from before the IETF drafts.
///
/// ```text
///  bits      8          8          each: quotient ones, a zero, remainder in log2(P) bits   0..7
///       ┌──────────┬──────────┬────────────────────────────────────────────────────────────┬──────┐
///       │ log2(N)  │ log2(P)  │ gap 1, gap 2, ... (differences less one)                    │ ones │
///       └──────────┴──────────┴────────────────────────────────────────────────────────────┴──────┘
/// ```
///
/// Hash and rounding as in [`CacheDigest`]. One-byte fields could name ranges that no hash fills: more than 62 bits in sum, or 56
/// for P, is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kazuho00 {
    log2_p: u8,
}

impl Kazuho00 {
    /// With a false-positive rate of about one in `2^log2_p`: 0 to 31.
    ///
    /// # Panics
    /// Out of these bounds; in a constant, that is a compile error. See [`checked`](Self::checked).
    pub const fn new(log2_p: u32) -> Self {
        assert!(log2_p <= 31, "log2_p is 0 to 31");
        Self { log2_p: log2_p as u8 }
    }

    /// The same for a number from a configuration; `None` if it is out of bounds.
    pub const fn checked(log2_p: u32) -> Option<Self> {
        if log2_p <= 31 { Some(Self::new(log2_p)) } else { None }
    }
}

impl Default for Kazuho00 {
    /// P = 256, as in the example of the tool.
    fn default() -> Self {
        Self::new(8)
    }
}

impl Profile for Kazuho00 {
    fn hash(&self, key: &[u8]) -> u64 {
        top_of_sha256(&[key])
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        top_bits(hash, layout)
    }

    fn read_header(&self, bits: &mut BitReader<'_>) -> Result<Layout, Error> {
        let log2_n = field(bits, 8)?;
        let log2_p = field(bits, 8)?;
        if log2_p > MAX_REMAINDER_BITS || log2_n + log2_p > 62 {
            return Err(Error::new(ErrorKind::Header, 0));
        }
        Ok(layout(Unary::OnesThenZero, log2_n, log2_p))
    }
}

#[cfg(feature = "alloc")]
impl Encode for Kazuho00 {
    fn layout(&self, count: u64) -> Layout {
        layout(Unary::OnesThenZero, rounded_log2(count), u32::from(self.log2_p))
    }

    fn write_header(&self, layout: &Layout, bits: &mut BitWriter) {
        write_header(layout, 8, bits);
    }
}

fn field(bits: &mut BitReader<'_>, width: u32) -> Result<u32, Error> {
    let start = bits.position();
    bits.read(width).map(|value| value as u32).ok_or(Error::new(ErrorKind::Truncated, start))
}

fn layout(unary: Unary, log2_n: u32, log2_p: u32) -> Layout {
    Layout {
        code: Code {
            unary,
            less_one: true,
            // A run without end, in either sense.
            padding: unary == Unary::OnesThenZero,
            remainder_bits: log2_p,
        },
        range: 1 << (log2_n + log2_p),
        tail: Tail::Unfinished,
        past_range: PastRange::Error,
    }
}

#[cfg(feature = "alloc")]
fn write_header(layout: &Layout, width: u32, bits: &mut BitWriter) {
    let log2_p = layout.code.remainder_bits;
    bits.put(u64::from(layout.range.ilog2() - log2_p), width);
    bits.put(u64::from(log2_p), width);
}

/// `round(log2(count))`, at most 31. Half way is `2^(b + 1/2)`, whose square is `2^(2b + 1)`.
#[cfg(feature = "alloc")]
fn rounded_log2(count: u64) -> u32 {
    let count = u128::from(count.max(1));
    ((count * count).ilog2().div_ceil(2)).min(31)
}

fn top_bits(hash: u64, layout: &Layout) -> u64 {
    // In two steps, so that a range of one value shifts by 63 and 1.
    hash >> 1 >> (63 - layout.range.ilog2())
}

fn top_of_sha256(parts: &[&[u8]]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

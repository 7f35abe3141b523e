//! Headstart's own cookie fingerprint.

use core::fmt;

use siphasher::sip::SipHasher24;

use crate::{BitReader, Code, Error, ErrorKind, Layout, PastRange, Profile, Tail, Unary};
#[cfg(feature = "alloc")]
use crate::{BitWriter, Encode, FixedRange};

/// Headstart's own format: keyed, versioned, self-describing, and exact under insertion and union.
///
/// ```text
///  bits     4         5               5            2*floor(log2(n+1))+1    each: quotient ones, a zero,   0..7
///       ┌─────────┬──────────────┬───────────────┬───────────────────────┬─── remainder in r bits ──────┬──────┐
///       │ version │ remainder    │ capacity      │ n, the count: n + 1   │ gap 1, gap 2, ... gap n      │ zero │
///       │ 0001    │ bits K       │ bits C        │ in Elias gamma        │ (difference less one)        │ bits │
///       └─────────┴──────────────┴───────────────┴───────────────────────┴──────────────────────────────┴──────┘
/// ```
///
/// A value is the top `C + K` bits of SipHash-2-4 of the key. The range `2^(C + K)` does not depend on how many values
/// there are, so a set decoded, enlarged and encoded again is the set built at once. The remainder bits `r` of the code are not
/// `K`: they follow from count and range, `floor(log2(0.9625 * range / n))`, which is the best Rice code at every fill, so a
/// small set is small whatever the capacity. A key that was never added is found with probability `n / 2^(C + K)`, which
/// is `2^-K` when n reaches the capacity `2^C`; beyond it sets still work, at a higher rate.
///
/// The count makes truncation an error; what follows the last value must be the zero bits of its byte. A set has
/// one form only: equal sets, and only they, are equal bytes. Bytes with other `K` or `C` than the profile's are a
/// [`Mismatch`](ErrorKind::Mismatch): the values would mean something else. The key is not in the bytes; a set read
/// with another key looks well formed and holds other keys, so rotate keys together with the cookie's name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeadstartV1 {
    hasher: Hasher,
    remainder_bits: u8,
    capacity_bits: u8,
}

/// The key as SipHash wants it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hasher {
    k0: u64,
    k1: u64,
}

const VERSION: u64 = 1;

impl HeadstartV1 {
    /// Sets of about `2^capacity_bits` keys at most, with a false-positive rate of `2^-remainder_bits` when that full.
    ///
    /// `remainder_bits` is 1 to 31, `capacity_bits` 0 to 31. The key is a secret of the deployment: whoever knows it can make
    /// up names that collide.
    ///
    /// # Panics
    /// Out of these bounds; in a constant, that is a compile error. See [`checked`](Self::checked).
    pub const fn new(key: [u8; 16], remainder_bits: u32, capacity_bits: u32) -> Self {
        assert!(remainder_bits >= 1 && remainder_bits <= 31, "remainder_bits is 1 to 31");
        assert!(capacity_bits <= 31, "capacity_bits is 0 to 31");
        // Both halves little endian, as in the SipHash paper.
        let both = u128::from_le_bytes(key);
        let hasher = Hasher { k0: both as u64, k1: (both >> 64) as u64 };
        Self { hasher, remainder_bits: remainder_bits as u8, capacity_bits: capacity_bits as u8 }
    }

    /// The same for parameters from a configuration; `None` if they are out of bounds.
    pub const fn checked(key: [u8; 16], remainder_bits: u32, capacity_bits: u32) -> Option<Self> {
        if remainder_bits < 1 || remainder_bits > 31 || capacity_bits > 31 {
            return None;
        }
        Some(Self::new(key, remainder_bits, capacity_bits))
    }

    /// With the smallest capacity that holds `keys` keys at the stated rate (2^31 at most).
    ///
    /// # Panics
    /// If `remainder_bits` is not 1 to 31.
    pub const fn for_keys(key: [u8; 16], remainder_bits: u32, keys: usize) -> Self {
        let bits = if keys <= 1 { 0 } else { usize::BITS - (keys - 1).leading_zeros() };
        Self::new(key, remainder_bits, if bits > 31 { 31 } else { bits })
    }

    /// The smallest sets of `keys` keys (2^31 at most) in which a key that was never added is found at most once in
    /// `1 / rate` times: `rate` is 0.01 for one in a hundred.
    ///
    /// A rate of more than 1/2 is taken as 1/2, and one of less than 2^-31 at these many keys as the least there is.
    ///
    /// # Panics
    /// If `rate` is not above 0; in a constant, that is a compile error.
    pub const fn for_rate(key: [u8; 16], keys: usize, rate: f64) -> Self {
        assert!(rate > 0.0, "the rate is above 0");
        let capacity_bits = Self::for_keys(key, 1, keys).capacity_bits as u32;
        let mut remainder_bits = 1;
        // The rate of a set is its keys over its range.
        while remainder_bits < 31 && keys as f64 / (1_u64 << (capacity_bits + remainder_bits)) as f64 > rate {
            remainder_bits += 1;
        }
        Self::new(key, remainder_bits, capacity_bits)
    }

    /// With the parameters that the header of `bytes` names.
    ///
    /// # Errors
    /// The header is cut short, of another version, or out of bounds.
    pub fn of_bytes(key: [u8; 16], bytes: &[u8]) -> Result<Self, Error> {
        let (remainder_bits, capacity_bits) = read_parameters(&mut BitReader::new(bytes))?;
        Self::checked(key, remainder_bits, capacity_bits).ok_or(Error::new(ErrorKind::Header, 4))
    }

    /// The exponent of the false-positive rate of a full set.
    pub const fn remainder_bits(&self) -> u32 {
        self.remainder_bits as u32
    }

    /// log2 of the number of keys the set is meant for.
    pub const fn capacity_bits(&self) -> u32 {
        self.capacity_bits as u32
    }

    const fn range_bits(&self) -> u32 {
        self.remainder_bits as u32 + self.capacity_bits as u32
    }

    fn layout_for(&self, count: u64) -> Layout {
        let range = 1 << self.range_bits();
        Layout {
            code: Code {
                unary: Unary::OnesThenZero,
                less_one: true,
                padding: false,
                remainder_bits: best_remainder_bits(range, count),
            },
            range,
            tail: Tail::Exact(count),
            past_range: PastRange::Error,
        }
    }
}

impl Profile for HeadstartV1 {
    fn hash(&self, key: &[u8]) -> u64 {
        SipHasher24::new_with_keys(self.hasher.k0, self.hasher.k1).hash(key) >> (64 - self.range_bits())
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        hash & (layout.range - 1)
    }

    fn read_header(&self, bits: &mut BitReader<'_>) -> Result<Layout, Error> {
        let (remainder_bits, capacity_bits) = read_parameters(bits)?;
        if (remainder_bits, capacity_bits) != (self.remainder_bits(), self.capacity_bits()) {
            return Err(Error::new(ErrorKind::Mismatch, 4));
        }
        let start = bits.position();
        let truncated = Error::new(ErrorKind::Truncated, start);
        // Elias gamma: as many zeros as binary digits follow the leading one. A count beyond 2^32 is more than any range holds
        // in a cookie, and more than any slice that is not half a gigabyte.
        let zeros = bits.window().leading_zeros();
        if u64::from(zeros) >= bits.remaining() {
            return Err(truncated);
        }
        if zeros > 32 {
            return Err(Error::new(ErrorKind::Header, start));
        }
        bits.skip(u64::from(zeros));
        let count = bits.read(zeros + 1).ok_or(truncated)?.saturating_sub(1);
        if count > 1 << self.range_bits() {
            return Err(Error::new(ErrorKind::Header, start));
        }
        let layout = self.layout_for(count);
        // No overflow: a count below 2^33 times at most 57.
        if count * u64::from(layout.code.remainder_bits + 1) > bits.remaining() {
            return Err(Error::new(ErrorKind::Truncated, bits.position()));
        }
        Ok(layout)
    }
}

#[cfg(feature = "alloc")]
impl Encode for HeadstartV1 {
    fn layout(&self, count: u64) -> Layout {
        self.layout_for(count)
    }

    fn write_header(&self, layout: &Layout, bits: &mut BitWriter) {
        let (Tail::Counted(count) | Tail::Exact(count)) = layout.tail else { return };
        bits.put(VERSION, 4);
        bits.put(u64::from(self.remainder_bits), 5);
        bits.put(u64::from(self.capacity_bits), 5);
        let digits = (count + 1).ilog2();
        bits.put_run(false, u64::from(digits));
        bits.put(count + 1, digits + 1);
    }
}

#[cfg(feature = "alloc")]
impl FixedRange for HeadstartV1 {}

impl fmt::Debug for HeadstartV1 {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadstartV1")
            .field("remainder_bits", &self.remainder_bits)
            .field("capacity_bits", &self.capacity_bits)
            .finish_non_exhaustive()
    }
}

/// Version, K and C.
fn read_parameters(bits: &mut BitReader<'_>) -> Result<(u32, u32), Error> {
    let mut field = |count, kind| bits.read(count).ok_or(Error::new(kind, bits.position()));
    if field(4, ErrorKind::Truncated)? != VERSION {
        return Err(Error::new(ErrorKind::Version, 0));
    }
    let remainder_bits = field(5, ErrorKind::Truncated)?;
    let capacity_bits = field(5, ErrorKind::Truncated)?;
    Ok((remainder_bits as u32, capacity_bits as u32))
}

/// The Rice parameter with the shortest expected code for `count` values spread evenly over `range`.
///
/// For geometric gaps of mean m it is `1 + floor(log2(ln(golden ratio) * m))`, which is `floor(log2(0.9624 * m))` (Kiely,
/// "Selecting the Golomb parameter in Rice coding", IPN Progress Report 42-159, 2004). 0.9624 is taken as 77/80 and the
/// result kept within what a reader takes.
fn best_remainder_bits(range: u64, count: u64) -> u32 {
    let (above, below) = (u128::from(range) * 77, u128::from(count.max(1)) * 80);
    // floor(log2(above / below)) without a division: right, or one too many.
    let bits = above.ilog2().saturating_sub(below.ilog2());
    bits.saturating_sub(u32::from(below << bits > above)).min(crate::MAX_REMAINDER_BITS)
}

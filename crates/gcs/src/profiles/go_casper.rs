//! The cookie of go-casper.

use md5::{Digest, Md5};

use crate::{BitReader, Code, Error, Layout, PastRange, Profile, Tail, Unary};
#[cfg(feature = "alloc")]
use crate::{BitWriter, Encode, FixedRange};

/// The `x-go-casper` cookie of go-casper (github.com/tcnksm/go-casper, commit 5d0c688e).
///
/// ```text
///       each: quotient ones, a zero, remainder in log2(p) bits   0..7
///      ┌────────────────────────────────────────────────────────┬──────┐
///      │ gap 1, gap 2, ... (plain differences; the first from 0) │ zero │     no header; n and p are agreed upon
///      └────────────────────────────────────────────────────────┴──────┘
/// ```
///
/// A value is the last four bytes of MD5 of the key, big endian, modulo `n * p`. Its defects and what is done about them:
///
/// * **It loses a last value** whose remainder is 0 and ends on a byte boundary. Reading keeps such a value; writing
///   appends a zero byte, which go-casper reads as the value and at most a repetition of it.
/// * **Runs of more than 56 ones overflow its 64-bit writer and come out wrong.** Reading takes them; writing puts a filler
///   value into such a gap. Fillers are false positives: at most one for 56 of the nominal size `n`, so they add at most
///   1.8% to the nominal rate of one in `p`.
/// * **Padding of `p <= 64` can read as a repetition** of the last value. Repetitions are dropped.
/// * **Truncation goes unnoticed** unless it falls into a run. Reading accepts what go-casper accepts;
///   [`Set::decode_canonical`](crate::Set::decode_canonical) does not.
/// * `p` must be a power of two: with any other its own bytes come back as other values.
/// * Its README says that `New(1 << 6, 10)` gives `JA` for `/static/example.js`. That is `n = 1`; with 10 it is `yQA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoCasper {
    keys: u32,
    p: u32,
}

/// The longest run written. go-casper's writer holds up to 7 bits back and shifts them by the run and its closing bit, 57, within
/// 64 bits.
#[cfg(feature = "alloc")]
const MAX_RUN: u64 = 56;

impl GoCasper {
    /// For about `n` keys and a false-positive rate of one in `p` when it holds them: `casper.New(p, n)` there.
    ///
    /// # Panics
    /// If `n` is 0 or `p` is not a power of two from 2 to 2^31; in a constant, that is a compile error. See
    /// [`checked`](Self::checked).
    pub const fn new(n: u32, p: u32) -> Self {
        assert!(n >= 1, "n is at least 1");
        assert!(p >= 2 && p.is_power_of_two(), "p is a power of two from 2 to 2^31");
        Self { keys: n, p }
    }

    /// The same for parameters from a configuration; `None` if they are out of bounds.
    pub const fn checked(n: u32, p: u32) -> Option<Self> {
        if n >= 1 && p >= 2 && p.is_power_of_two() { Some(Self::new(n, p)) } else { None }
    }

    const fn range(self) -> u64 {
        self.keys as u64 * self.p as u64
    }

    const fn the_layout(self) -> Layout {
        Layout {
            code: Code {
                unary: Unary::OnesThenZero,
                less_one: false,
                padding: false,
                remainder_bits: self.p.trailing_zeros(),
            },
            range: self.range(),
            tail: Tail::GoCasper,
            past_range: PastRange::Dropped,
        }
    }
}

impl Profile for GoCasper {
    fn hash(&self, key: &[u8]) -> u64 {
        let digest = Md5::digest(key);
        let number = digest.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        u64::from(number) % self.range()
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        if hash < layout.range { hash } else { hash % layout.range }
    }

    fn read_header(&self, _: &mut BitReader<'_>) -> Result<Layout, Error> {
        Ok(self.the_layout())
    }
}

#[cfg(feature = "alloc")]
impl Encode for GoCasper {
    fn layout(&self, _: u64) -> Layout {
        self.the_layout()
    }

    fn write_header(&self, _: &Layout, _: &mut BitWriter) {}

    fn write_values(&self, layout: &Layout, values: &[u64], bits: &mut BitWriter) {
        let code = layout.code;
        let remainder = (1 << code.remainder_bits) - 1;
        let mut last = 0;
        let mut last_gap = remainder;
        for &value in values {
            while (value - last) >> code.remainder_bits > MAX_RUN {
                let filler = (MAX_RUN << code.remainder_bits) | remainder;
                crate::write::gap(code, filler, bits);
                last += filler;
            }
            last_gap = value - last;
            crate::write::gap(code, last_gap, bits);
            last = value;
        }
        if last_gap & remainder == 0 && bits.position().is_multiple_of(8) {
            bits.put(0, 8);
        }
    }
}

#[cfg(feature = "alloc")]
impl FixedRange for GoCasper {}

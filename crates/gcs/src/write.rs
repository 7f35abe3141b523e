//! Values into bits.

use crate::{BitWriter, Code, Unary};

/// Writes ascending values (strictly ascending if the code says "less one").
pub(crate) fn values(code: Code, values: &[u64], bits: &mut BitWriter) {
    // The smallest value that the next gap can name.
    let mut least = 0;
    for &value in values {
        gap(code, value - least, bits);
        least = value + u64::from(code.less_one);
    }
}

/// Writes one codeword.
#[inline]
pub(crate) fn gap(code: Code, gap: u64, bits: &mut BitWriter) {
    let k = code.remainder_bits;
    let quotient = gap >> k;
    let remainder = gap & ((1 << k) - 1);
    if quotient < u64::from(64 - k) {
        let quotient = quotient as u32;
        let run = match code.unary {
            Unary::OnesThenZero => ((1 << quotient) - 1) << 1,
            Unary::ZerosThenOne => 1,
        };
        bits.put(run << k | remainder, quotient + 1 + k);
    } else {
        let ones = code.unary == Unary::OnesThenZero;
        bits.put_run(ones, quotient);
        bits.put(u64::from(!ones) << k | remainder, 1 + k);
    }
}

/// An upper bound for the bytes that `count` values up to `last` take, header not included.
pub(crate) fn bytes_bound(code: Code, count: usize, last: u64) -> usize {
    let plain = count as u64 * u64::from(code.remainder_bits + 1);
    usize::try_from((plain + (last >> code.remainder_bits)) / 8 + 1).unwrap_or(usize::MAX)
}

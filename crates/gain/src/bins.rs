//! Logarithmic bins of a duration, computed in integers, so that every machine puts a time into the same bin.

use std::time::Duration;

/// Bins in each doubling of the time: a bin is 2^(1/16), 4.4 %, wide.
const PER_OCTAVE: u32 = 16;
/// The first octave begins at 2^10 microseconds, about a millisecond.
const FIRST_OCTAVE: u32 = 10;
/// The last octave ends at 2^27 microseconds, 134 seconds.
const OCTAVES: u32 = 17;

/// Number of bins. The first holds all below 1.024 ms, the last all from 134 s on.
pub const BINS: usize = (OCTAVES * PER_OCTAVE) as usize + 2;

/// 2^(i/16) in units of 2^-16, rounded.
const FRACTIONS: [u32; PER_OCTAVE as usize] = [
    65536, 68438, 71468, 74632, 77936, 81386, 84990, 88752, 92682, 96785, 101_070, 105_545, 110_218, 115_098, 120_194,
    125_515,
];

/// The bin of a time. O(log bins of an octave).
pub(crate) fn bin(time: Duration) -> u16 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let Some(octave) = micros.checked_ilog2().and_then(|log| log.checked_sub(FIRST_OCTAVE)) else { return 0 };
    if octave >= OCTAVES {
        return BINS as u16 - 1;
    }
    // The octave fits 27 bits, so the shift by 16 loses nothing.
    let mantissa = (micros << 16) >> (octave + FIRST_OCTAVE);
    let fraction = FRACTIONS.partition_point(|bound| u64::from(*bound) <= mantissa);
    (octave * PER_OCTAVE) as u16 + fraction as u16
}

/// The bounds of a bin, in seconds: the lower one is inclusive, the upper one is not. The last bin has no upper bound
/// and gets that of a bin as wide as the others.
pub fn bounds(bin: usize) -> (f64, f64) {
    let edge = |at: usize| (at as f64 / f64::from(PER_OCTAVE) + f64::from(FIRST_OCTAVE)).exp2() / 1e6;
    match bin {
        0 => (0.0, edge(0)),
        bin => (edge(bin - 1), edge(bin)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_within_the_bounds_of_its_bin() {
        for micros in (0..40).flat_map(|log| [(1_u64 << log) - 1, 1 << log, (1 << log) + 1, 3 << log, (5 << log) / 3]) {
            let at = bin(Duration::from_micros(micros));
            let (low, high) = bounds(usize::from(at));
            let seconds = micros as f64 / 1e6;
            // The fractions are rounded to 2^-16.
            assert!(seconds >= low * (1.0 - 2e-5), "{micros}: {at} {low}");
            assert!(seconds < high * (1.0 + 2e-5) || usize::from(at) == BINS - 1, "{micros}: {at} {high}");
        }
    }

    #[test]
    fn bins_ascend_with_time() {
        let bins: Vec<_> = (0..200_000).map(|step| bin(Duration::from_micros(step * 700))).collect();
        assert!(bins.is_sorted());
        assert_eq!(bin(Duration::ZERO), 0);
        assert_eq!(usize::from(bin(Duration::MAX)), BINS - 1);
    }
}

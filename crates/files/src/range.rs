//! The `Range` header (RFC 9110, section 14.2), read against a length that is known.

use std::ops::Range;

/// A request for more parts than this gets the whole file: many small parts cost the server more than they save
/// the client.
pub(super) const MAX_PARTS: usize = 8;

/// The part that a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Requested {
    /// Everything: the header is absent, not understood, or asks for no less than the whole.
    Whole,
    /// One part: begin and end in bytes, not empty, within the file.
    Part(Range<u64>),
    /// Two to [`MAX_PARTS`] parts, in the order asked for.
    Parts(Vec<Range<u64>>),
    /// Nothing of it is in the file: answered 416.
    Unsatisfiable,
}

/// Reads the value of a `Range` header for a file of `len` bytes. Linear in the value.
pub(super) fn parse(value: &str, len: u64) -> Requested {
    match parse_parts(value, len) {
        None => Requested::Whole,
        Some(mut parts) => match parts.len() {
            0 => Requested::Unsatisfiable,
            1 => parts.pop().map_or(Requested::Unsatisfiable, Requested::Part),
            // Overlapping parts may ask for a multiple of the file.
            _ if parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.end - part.start)) >= len => {
                Requested::Whole
            }
            _ => Requested::Parts(parts),
        },
    }
}

/// The satisfiable parts, or nothing if the header is to be ignored.
fn parse_parts(value: &str, len: u64) -> Option<Vec<Range<u64>>> {
    let (unit, set) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut parts = Vec::new();
    let mut count = 0;
    for spec in set.split(',').map(|s| s.trim_matches([' ', '\t'])).filter(|s| !s.is_empty()) {
        count += 1;
        if count > MAX_PARTS {
            return None;
        }
        let (first, last) = spec.split_once('-')?;
        if first.is_empty() {
            let suffix = number(last)?;
            if suffix > 0 {
                if len == 0 {
                    // Satisfiable by the letter, but `Content-Range` cannot say "no bytes".
                    return None;
                }
                parts.push(len.saturating_sub(suffix)..len);
            }
        } else {
            let first = number(first)?;
            let end = if last.is_empty() { len } else { number(last)?.saturating_add(1) };
            if end <= first && !last.is_empty() {
                return None;
            }
            if first < len {
                parts.push(first..end.min(len));
            }
        }
    }
    (count > 0).then_some(parts)
}

/// A number of digits alone. One that does not fit is past the end of every file.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, len: u64, expected: &Requested) {
        assert_eq!(parse(value, len), *expected, "{value:?} of {len}");
    }

    #[test]
    fn single() {
        check("bytes=0-0", 10, &Requested::Part(0..1));
        check("bytes=0-499", 10, &Requested::Part(0..10));
        check("bytes=3-", 10, &Requested::Part(3..10));
        check("bytes=-3", 10, &Requested::Part(7..10));
        check("bytes=-30", 10, &Requested::Part(0..10));
        check("Bytes=9-9", 10, &Requested::Part(9..10));
        check("bytes= 1-2 , ,", 10, &Requested::Part(1..3));
        check("bytes=1-99999999999999999999999", 10, &Requested::Part(1..10));
        check("bytes=-99999999999999999999999", 10, &Requested::Part(0..10));
    }

    #[test]
    fn several() {
        check("bytes=0-1,4-5", 10, &Requested::Parts(vec![0..2, 4..6]));
        check("bytes=4-5,0-1,-1", 10, &Requested::Parts(vec![4..6, 0..2, 9..10]));
        check("bytes=0-1,50-60", 10, &Requested::Part(0..2));
        check("bytes=0-7,1-8", 10, &Requested::Whole);
        check("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7", 90, &Requested::Parts((0..8).map(|n| n..n + 1).collect()));
        check("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8", 90, &Requested::Whole);
    }

    #[test]
    fn nothing_of_it() {
        check("bytes=10-", 10, &Requested::Unsatisfiable);
        check("bytes=10-20,30-40", 10, &Requested::Unsatisfiable);
        check("bytes=-0", 10, &Requested::Unsatisfiable);
        check("bytes=0-", 0, &Requested::Unsatisfiable);
        check("bytes=99999999999999999999999-", 10, &Requested::Unsatisfiable);
        check("bytes=18446744073709551615-18446744073709551615", 10, &Requested::Whole);
    }

    #[test]
    fn ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "lines=0-1",
            "bytes=2-1",
            "bytes=a-b",
            "bytes=1",
            "bytes=+1-2",
            "bytes=1-2-3",
            "bytes=--1",
            "bytes=0x1-2",
            "bytes=-",
            "bytes=1-2,x",
            "0-1",
        ] {
            check(value, 10, &Requested::Whole);
        }
        check("bytes=-5", 0, &Requested::Whole);
    }

    #[test]
    fn parts_are_within_the_file() {
        for len in 0..6 {
            for first in ["", "0", "1", "5", "6", "18446744073709551615"] {
                for last in ["", "0", "1", "5", "6", "18446744073709551615"] {
                    match parse(&format!("bytes={first}-{last}"), len) {
                        Requested::Part(part) => assert!(part.start < part.end && part.end <= len),
                        Requested::Parts(parts) => panic!("{parts:?}"),
                        Requested::Whole | Requested::Unsatisfiable => {}
                    }
                }
            }
        }
    }
}

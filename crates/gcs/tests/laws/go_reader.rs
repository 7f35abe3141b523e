//! A model of go-casper's decoder: of its bit reader and of the loop above it, written from their
//! behaviour at commit 5d0c688e.
//!
//! A read of n bits wants n + 1 of them. If they are not there it is filled up with zeros and reports the end along
//! with the bits.

/// The values it returns, repetitions included; `None` where it returns an error.
pub(crate) fn decode(bytes: &[u8], remainder_bits: usize) -> Option<Vec<u64>> {
    let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1)).collect();
    let mut at = 0;
    let mut read = |count: usize| {
        let end_reported = bits.len() - at <= count;
        let value = (at..at + count).fold(0u64, |sum, i| sum * 2 + u64::from(bits.get(i) == Some(&true)));
        at = (at + count).min(bits.len());
        (value, end_reported)
    };
    let mut values = vec![];
    let mut last = 0;
    loop {
        let mut gap = 0;
        loop {
            match read(1) {
                (_, true) => return if gap == 0 { Some(values) } else { None },
                (0, false) => break,
                _ => gap += 1 << remainder_bits,
            }
        }
        let (remainder, end_reported) = read(remainder_bits);
        if end_reported && remainder == 0 {
            return Some(values);
        }
        last += gap + remainder;
        values.push(last);
        if end_reported {
            return Some(values);
        }
    }
}

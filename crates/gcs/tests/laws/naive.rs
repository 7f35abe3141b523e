//! The oracle: one bit at a time, in lists of bits.

use headstart_gcs::{Code, Unary};

/// Bytes of ascending values.
pub(crate) fn encode(code: Code, values: &[u64]) -> Vec<u8> {
    let one = code.unary == Unary::OnesThenZero;
    let mut bits = vec![];
    let mut least = 0;
    for value in values {
        let gap = value - least;
        for _ in 0..gap >> code.remainder_bits {
            bits.push(one);
        }
        bits.push(!one);
        for place in (0..code.remainder_bits).rev() {
            bits.push(gap >> place & 1 == 1);
        }
        least = value + u64::from(code.less_one);
    }
    while bits.len() % 8 != 0 {
        bits.push(code.padding);
    }
    bits.chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum * 2 + u8::from(*bit))).collect()
}

/// All whole codewords, and the number of bits behind them.
pub(crate) fn decode(code: Code, bytes: &[u8]) -> (Vec<u64>, usize) {
    let one = code.unary == Unary::OnesThenZero;
    let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1)).collect();
    let mut values = vec![];
    let mut least = 0;
    let mut at = 0;
    loop {
        let run = bits[at..].iter().take_while(|bit| **bit == one).count();
        let end = at + run + 1 + code.remainder_bits as usize;
        if end > bits.len() {
            return (values, bits.len() - at);
        }
        let remainder = bits[at + run + 1..end].iter().fold(0, |sum, bit| sum * 2 + u64::from(*bit));
        let value = least + (run as u64 * (1 << code.remainder_bits)) + remainder;
        values.push(value);
        least = value + u64::from(code.less_one);
        at = end;
    }
}

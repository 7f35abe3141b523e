//! Laws, against an oracle that reads one bit at a time.

use headstart_gcs::*;
use proptest::{collection::vec, prelude::*};

mod codec;
mod go_casper;
mod go_reader;
mod headstart_v1;
mod naive;
mod operations;
mod rates;

/// How often the cheap laws are tried.
const MANY: u32 = if cfg!(miri) { 80 } else { 100_000 };

/// Any layout, nothing hashed: a key is its value, big endian.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Plain(Layout);

impl Profile for Plain {
    fn hash(&self, key: &[u8]) -> u64 {
        key.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }

    fn value(&self, hash: u64, _: &Layout) -> u64 {
        hash
    }

    fn read_header(&self, _: &mut BitReader<'_>) -> Result<Layout, Error> {
        Ok(self.0)
    }
}

impl Encode for Plain {
    fn layout(&self, count: u64) -> Layout {
        let tail = match self.0.tail {
            Tail::Counted(_) => Tail::Counted(count),
            Tail::Exact(_) => Tail::Exact(count),
            tail => tail,
        };
        Layout { tail, ..self.0 }
    }

    fn write_header(&self, _: &Layout, _: &mut BitWriter) {}
}

impl FixedRange for Plain {}

/// The codes in use are `remainder_bits` 6 to 19; the others are legal.
fn code(max_bits: u32) -> impl Strategy<Value = Code> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 0..=max_bits).prop_map(|(ones, less_one, padding, remainder_bits)| {
        Code { unary: if ones { Unary::OnesThenZero } else { Unary::ZerosThenOne }, less_one, padding, remainder_bits }
    })
}

/// Ascending values whose gaps suit a code, now and then badly.
fn values(code: Code) -> impl Strategy<Value = Vec<u64>> {
    vec((0..1u64 << (code.remainder_bits + 2).min(55), 0..40u32), 0..28).prop_map(move |gaps| {
        let mut least = 0;
        let mut values = vec![];
        for (gap, odd) in gaps {
            // One in forty has a long run.
            let value = least + if odd == 0 { gap + (99 << code.remainder_bits.min(48)) } else { gap };
            values.push(value);
            least = value + u64::from(code.less_one);
        }
        values
    })
}

fn layout(code: Code, tail: Tail) -> Layout {
    Layout { code, range: 1 << 63, tail, past_range: PastRange::Error }
}

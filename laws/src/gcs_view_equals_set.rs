//! The borrowing view, the index and the decoded set give one answer; a prefix that a view reads before a fault is the set's.

use crate::read;
use headstart_gcs::{Bip158, Code, Error, Index, Layout, PastRange, Profile, Set, Tail, Unary, View};

/// Any layout; a key is its value.
#[derive(Clone, Copy)]
struct Plain(Layout);

impl Profile for Plain {
    fn hash(&self, key: &[u8]) -> u64 {
        key.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        hash % layout.range
    }

    fn read_header(&self, _: &mut headstart_gcs::BitReader<'_>) -> Result<Layout, Error> {
        Ok(self.0)
    }
}

/// One input.
pub fn run(bytes: &[u8]) {
    let Some(input) = read::<(u8, u8, u32, Vec<u32>, Vec<u8>)>(bytes) else { return };
    let (shape, bits, count, asked, bytes) = input;
    let layout = Layout {
        code: Code {
            unary: if shape & 1 == 0 { Unary::OnesThenZero } else { Unary::ZerosThenOne },
            less_one: shape & 2 != 0,
            padding: shape & 4 != 0,
            remainder_bits: u32::from(bits % 57),
        },
        range: 1 << (bits % 63),
        tail: match shape >> 3 & 3 {
            0 => Tail::Counted(u64::from(count)),
            1 => Tail::Exact(u64::from(count)),
            3 if bits % 57 > 0 => Tail::GoCasper,
            _ => Tail::Unfinished,
        },
        past_range: match shape >> 5 & 3 {
            0 => PastRange::Dropped,
            1 => PastRange::Error,
            _ => PastRange::Kept,
        },
    };
    check(Plain(layout), &asked, &bytes);
    check(Bip158::basic([7; 16]), &asked, &bytes);
}

fn check<P: Profile + Copy>(profile: P, asked: &[u32], bytes: &[u8]) {
    let Ok(view) = View::new(profile, bytes) else { return };
    let keys: Vec<_> = asked.iter().map(|key| key.to_be_bytes()).collect();
    let set = match Set::decode(profile, bytes, usize::MAX) {
        Ok(set) => set,
        Err(error) => {
            assert_eq!(view.check(usize::MAX).expect_err("as the set"), error);
            assert_eq!(view.iter().last().expect("an error at least").expect_err("as the set"), error);
            return;
        }
    };
    let index = Index::new(view, 4, usize::MAX).expect("as the set");
    let mut held = vec![false; keys.len()];
    view.contains_many(&keys, &mut held).expect("as the set");
    for (key, held) in keys.iter().zip(held) {
        assert_eq!(set.contains(key), held);
        assert_eq!(view.contains(key), Ok(held));
        assert_eq!(index.contains(key), Ok(held));
    }
    let mut values: Vec<_> = view.iter().collect::<Result<_, _>>().expect("as the set");
    if view.layout().distinct() {
        values.dedup();
    }
    assert_eq!(values, set.values());
}

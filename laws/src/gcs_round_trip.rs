//! Keys in, bytes, keys out: none is lost, and the order and repetition of keys change nothing.

use crate::read;
use headstart_gcs::{Bip158, Builder, CacheDigest, Encode, GoCasper, H2oCasper, HeadstartV1, Kazuho00, Set};

/// One input.
pub fn run(bytes: &[u8]) {
    let Some(input) = read::<(u8, u8, u8, Vec<Vec<u8>>)>(bytes) else { return };
    let (which, a, b, keys) = input;
    let (a, b) = (u32::from(a), u32::from(b));
    match which % 6 {
        0 => check(GoCasper::new(a + 1, 2 << (b % 31)), &keys),
        1 => check(H2oCasper::new(1 + a % 15), &keys),
        2 => check(CacheDigest::new(a % 32), &keys),
        3 => check(Kazuho00::new(a % 32), &keys),
        4 => check(Bip158::new([7; 16], 1 + a, b % 33), &keys),
        _ => check(HeadstartV1::new([7; 16], 1 + a % 31, b % 32), &keys),
    }
}

fn check<P: Encode + Copy + PartialEq + std::fmt::Debug>(profile: P, keys: &[Vec<u8>]) {
    let bytes = Builder::from_keys(profile, keys).finish();
    let set = Set::decode_canonical(profile, &bytes, usize::MAX).expect("our own bytes");
    assert!(keys.iter().all(|key| set.contains(key)));
    let backwards = Builder::from_keys(profile, keys.iter().rev().chain(keys)).finish();
    assert_eq!(bytes, backwards);
}

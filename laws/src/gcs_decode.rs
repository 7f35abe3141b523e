//! Any bytes, under any profile: a set within the limits, or an error within the bytes; and what is canonical is its own encoding.

use crate::read;
use headstart_gcs::{Bip158, CacheDigest, Encode, GoCasper, H2oCasper, HeadstartV1, Kazuho00, Set};

const MAX_LEN: usize = 512;

/// One input.
pub fn run(bytes: &[u8]) {
    let Some(input) = read::<(u8, u8, u8, Vec<u8>)>(bytes) else { return };
    let (which, a, b, bytes) = input;
    let (a, b) = (u32::from(a), u32::from(b));
    match which % 6 {
        0 => check(GoCasper::new(a + 1, 2 << (b % 31)), &bytes),
        1 => check(H2oCasper::new(1 + a % 15), &bytes),
        2 => check(CacheDigest::new(a % 32), &bytes),
        3 => check(Kazuho00::new(a % 32), &bytes),
        4 => check(Bip158::new([7; 16], 1 + a, b % 33), &bytes),
        _ => check(HeadstartV1::of_bytes([7; 16], &bytes).unwrap_or(HeadstartV1::new([7; 16], 7, 6)), &bytes),
    }
}

fn check<P: Encode + Copy + PartialEq + std::fmt::Debug>(profile: P, bytes: &[u8]) {
    match Set::decode(profile, bytes, MAX_LEN) {
        Ok(set) => {
            assert!(set.len() <= MAX_LEN);
            assert!(set.values().is_sorted());
            assert_eq!(Set::decode_canonical(profile, bytes, MAX_LEN).is_ok(), set.encode() == bytes);
        }
        Err(error) => assert!(error.bit() <= bytes.len() as u64 * 8, "{error}"),
    }
}

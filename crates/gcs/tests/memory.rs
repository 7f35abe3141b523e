//! Allocations are counted.

use allocation_counter::{AllocationInfo, measure};
use headstart_gcs::*;

const KEY: [u8; 16] = *b"a fixed seed, 16";

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|key| format!("/held/{key}")).collect()
}

#[test]
fn building_takes_20_bytes_a_value_at_most() {
    for count in [100, 1000, 10_000, 100_000] {
        let keys = keys(count);
        for bytes in [
            measure(|| drop(Builder::from_keys(Bip158::basic(KEY), &keys).finish())),
            measure(|| drop(Builder::from_keys(HeadstartV1::for_keys(KEY, 6, count), &keys).finish())),
            measure(|| drop(Builder::from_keys(GoCasper::new(count as u32, 64), &keys).finish())),
        ] {
            let each = bytes.bytes_max as f64 / count as f64;
            assert!(each <= 20.0, "{each} bytes a value for {count} keys");
        }
    }
}

/// Keys whose number is not known in advance: the list of hashes grows by doubling, and old and new are there at once.
#[test]
fn growing_takes_24_bytes_a_value_at_most() {
    let keys = keys(100_000);
    let info = measure(|| {
        let mut builder = Builder::new(Bip158::basic(KEY));
        for key in &keys {
            builder.insert(key.as_bytes());
        }
        drop(builder.finish());
    });
    let each = info.bytes_max as f64 / 100_000.0;
    assert!(each <= 24.0, "{each}");
}

#[test]
fn queries_allocate_nothing() {
    let keys = keys(1000);
    let profile = Bip158::basic(KEY);
    let bytes = Builder::from_keys(profile, &keys).finish();
    let view = View::new(profile, &bytes).unwrap();
    let index = Index::new(view, 8, 1000).unwrap();
    let set = Set::decode(profile, &bytes, 1000).unwrap();
    let mut held = vec![false; keys.len()];
    let info = measure(|| {
        assert_eq!(View::new(profile, &bytes).unwrap().check(1000), Ok(1000));
        assert_eq!(view.contains_many(&keys, &mut held), Ok(1000));
        for key in &keys {
            let key = key.as_bytes();
            assert!(view.contains(key) == Ok(true) && index.contains(key) == Ok(true) && set.contains(key));
        }
        assert_eq!(view.iter().count(), 1000);
    });
    assert_eq!(info, AllocationInfo::default());
}

/// Whatever the bytes: no more than `max_len` values, and no more than the bytes can hold.
#[test]
fn decoding_keeps_to_the_limit() {
    let mut state = 1u64;
    for round in 0..20_000u32 {
        let mut bytes: Vec<u8> = (0..round % 300)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Few ones, many ones, any: runs end soon, late, and in between.
                (state >> 33) as u8 & if round % 3 == 0 { 0x11 } else { 0xff } | if round % 3 == 1 { 0xee } else { 0 }
            })
            .collect();
        check(GoCasper::new(64, 64), &bytes);
        check(H2oCasper::default(), &bytes);
        check(CacheDigest::default(), &bytes);
        check(Kazuho00::default(), &bytes);
        check(Bip158::basic(KEY), &bytes);
        if let Some(first) = bytes.first_mut() {
            // A right version, so that more than the first four bits is read.
            *first = 0x10 | *first & 0x0f;
            check(HeadstartV1::of_bytes(KEY, &bytes).unwrap_or(HeadstartV1::new(KEY, 7, 6)), &bytes);
        }
    }
    // Claims of many values in few bytes.
    check(Bip158::basic(KEY), &[0xff; 40]);
    check(Bip158::basic(KEY), &[0xfe, 0xff, 0xff, 0, 0, 1]);
}

fn check(profile: impl Profile + Copy, bytes: &[u8]) {
    const MAX_LEN: usize = 64;
    let info = measure(|| {
        let _ = Set::decode(profile, bytes, MAX_LEN);
    });
    assert!(info.bytes_max <= 8 * MAX_LEN as u64, "{info:?} for {bytes:x?}");
}

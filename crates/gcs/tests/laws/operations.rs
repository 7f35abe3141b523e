//! Operations on sets are those on their values; rates, readers, writers and serde keep what they promise.

use std::collections::BTreeSet;

use super::*;
use serde::de::DeserializeSeed as _;

const KEY: [u8; 16] = *b"0123456789abcdef";

fn profile() -> impl Strategy<Value = HeadstartV1> {
    // Small ranges, so that values of different keys meet.
    (1..=8u32, 0..=4u32)
        .prop_map(|(remainder_bits, capacity_bits)| HeadstartV1::new(KEY, remainder_bits, capacity_bits))
}

fn of(profile: HeadstartV1, keys: &[u16]) -> Set<HeadstartV1> {
    Set::from_keys(profile, keys.iter().map(|key| format!("/{key}.js")))
}

fn values(set: &Set<HeadstartV1>) -> BTreeSet<u64> {
    set.iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(MANY / 8))]

    #[test]
    fn operations_are_those_of_the_values(profile in profile(), a in vec(any::<u16>(), 0..40), b in vec(any::<u16>(), 0..40)) {
        let (a, b) = (of(profile, &a), of(profile, &b));
        let (naive_a, naive_b) = (values(&a), values(&b));
        let check = |set: Set<HeadstartV1>, expected: Vec<u64>| {
            prop_assert_eq!(set.values(), &expected[..]);
            // It is laid out as a set of these values is.
            prop_assert_eq!(Set::decode_canonical(profile, &set.encode(), 99).unwrap(), set);
            Ok(())
        };
        let mut both = a.clone();
        both.intersection(&b).unwrap();
        check(both, naive_a.intersection(&naive_b).copied().collect())?;
        let mut left = a.clone();
        left.difference(&b).unwrap();
        check(left, naive_a.difference(&naive_b).copied().collect())?;
        let mut either = a.clone();
        either.union(&b).unwrap();
        check(either, naive_a.union(&naive_b).copied().collect())?;
    }

    #[test]
    fn a_key_of_both_sets_is_in_their_intersection(profile in profile(), a in vec(0..60u16, 0..40), b in vec(0..60u16, 0..40)) {
        let mut both = of(profile, &a);
        both.intersection(&of(profile, &b)).unwrap();
        for key in a.iter().filter(|key| b.contains(key)) {
            let path = format!("/{key}.js");
            prop_assert!(both.contains(path));
        }
    }

    #[test]
    fn what_is_written_is_read(profile in profile(), keys in vec(any::<u16>(), 0..40)) {
        let set = of(profile, &keys);
        let mut bytes = Vec::new();
        prop_assert_eq!(set.write_to(&mut bytes).unwrap(), bytes.len());
        prop_assert_eq!(&Set::read_from(profile, &bytes[..], 99).unwrap(), &set);
        let json = serde_json::to_string(&set).unwrap();
        let read = SetSeed::new(profile, 99).deserialize(&mut serde_json::Deserializer::from_str(&json)).unwrap();
        prop_assert_eq!(&read, &set);
    }

    #[test]
    fn a_rate_is_kept_with_the_fewest_bits(keys in 1..1usize << 20, exponent in 1..30i32, part in 0.5..1.0f64) {
        let rate = part * 0.5f64.powi(exponent - 1);
        let profile = HeadstartV1::for_rate(KEY, keys, rate);
        let of = |remainder_bits: u32| keys as f64 * 0.5f64.powf(f64::from(remainder_bits + profile.capacity_bits()));
        prop_assert!(of(profile.remainder_bits()) <= rate || profile.remainder_bits() == 31);
        prop_assert!(profile.remainder_bits() == 1 || of(profile.remainder_bits() - 1) > rate);
        prop_assert!(keys <= 1 << profile.capacity_bits());
    }
}

#[test]
fn sets_of_different_profiles_do_not_mix() {
    let mut a = of(HeadstartV1::new(KEY, 7, 6), &[1, 2]);
    let before = a.clone();
    let b = of(HeadstartV1::new(KEY, 7, 5), &[3]);
    for done in [a.union(&b), a.intersection(&b), a.difference(&b)] {
        assert_eq!(done.unwrap_err().kind(), ErrorKind::Mismatch);
    }
    assert_eq!(a, before);
}

#[test]
fn readers_are_not_read_past_the_limit() {
    let profile = HeadstartV1::new(KEY, 7, 6);
    let endless = std::io::repeat(0x15);
    let error = Set::read_from(profile, endless, Limits::len(9).bytes(100)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).unwrap();
    assert_eq!(inner.kind(), ErrorKind::TooLong);

    let json = format!("[{}0]", "0,".repeat(1000));
    let seed = SetSeed::new(profile, Limits::len(9).bytes(100));
    let error = seed.deserialize(&mut serde_json::Deserializer::from_str(&json)).unwrap_err();
    assert!(error.to_string().contains("more bytes than allowed"), "{error}");
}

#[test]
fn rates_out_of_reach_are_the_nearest() {
    assert_eq!(HeadstartV1::for_rate(KEY, 1, 0.9).remainder_bits(), 1);
    assert_eq!(HeadstartV1::for_rate(KEY, 1 << 20, 1e-300).remainder_bits(), 31);
    assert_eq!(HeadstartV1::for_rate(KEY, 64, 0.01).remainder_bits(), 7);
}

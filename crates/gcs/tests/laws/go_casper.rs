//! The cookie of go-casper against a model of its own decoder.

use std::collections::BTreeSet;

use super::*;

fn set(values: impl IntoIterator<Item = u64>) -> BTreeSet<u64> {
    values.into_iter().collect()
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    // Few ones, so that runs end; and now and then the bytes of a set, cut.
    vec(prop_oneof![Just(0u8), any::<u8>(), (0..8u32).prop_map(|place| 1 << place)], 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(MANY / 4))]

    #[test]
    fn what_go_casper_accepts_is_accepted(bytes in bytes(), bits in 1..14u32, n in 1..2000u32) {
        let Some(theirs) = go_reader::decode(&bytes, bits as usize) else { return Ok(()) };
        let profile = GoCasper::new(n, 1 << bits);
        let ours = Set::decode(profile, &bytes, usize::MAX).unwrap();
        let range = u64::from(n) << bits;
        let theirs = set(theirs.into_iter().filter(|value| *value < range));
        let ours = set(&ours);
        prop_assert!(ours.is_superset(&theirs));
        // The last value, which it can lose.
        prop_assert!(ours.difference(&theirs).count() <= 1, "{:?} {:?}", ours, theirs);
    }

    #[test]
    fn go_casper_reads_all_that_is_written(keys in vec(any::<u32>(), 0..80), bits in 1..14u32, n in 1..2000u32) {
        let profile = GoCasper::new(n, 1 << bits);
        let mut builder = Builder::new(profile);
        for key in &keys {
            builder.insert_value(u64::from(*key));
        }
        let wanted = set(keys.iter().map(|key| u64::from(*key) % (u64::from(n) << bits)));
        let bytes = builder.finish();
        let theirs = go_reader::decode(&bytes, bits as usize).expect("an error there");
        let ours = Set::decode(profile, &bytes, usize::MAX).unwrap();
        prop_assert_eq!(set(theirs), set(&ours));
        prop_assert!(set(&ours).is_superset(&wanted));
        // Fillers, and how many there may be.
        prop_assert!(ours.len() - wanted.len() <= n as usize / 56);
        // The bytes are canonical although fillers have become members.
        prop_assert!(Set::decode_canonical(profile, &bytes, usize::MAX).is_ok());
        prop_assert!(longest_run_fits_its_writer(&ours, bits));
    }
}

fn longest_run_fits_its_writer(set: &Set<GoCasper>, bits: u32) -> bool {
    let mut last = 0;
    set.iter().all(|value| {
        let run = (value - last) >> bits;
        last = value;
        run + 1 + 7 <= 64
    })
}

/// Its own bytes for the set {64}, p = 64, of which it reads nothing.
#[test]
fn a_last_value_that_go_casper_loses_is_kept() {
    assert_eq!(go_reader::decode(&[0x80], 6), Some(vec![]));
    let profile = GoCasper::new(2, 64);
    assert_eq!(Set::decode(profile, &[0x80], 9).unwrap().values(), [64]);
    let mut set = Set::new(profile);
    set.insert_value(64);
    assert_eq!(set.encode(), [0x80, 0]);
    assert_eq!(go_reader::decode(&[0x80, 0], 6), Some(vec![64, 64]));
}

/// 11,000 zero bytes are 12,571 values there.
#[test]
fn repetitions_cost_no_memory() {
    let set = Set::decode(GoCasper::new(64, 64), &[0; 11_000], 1).unwrap();
    assert_eq!(set.values(), [0]);
    assert_eq!(go_reader::decode(&[0; 11_000], 6).unwrap().len(), 12_571);
}

#[test]
fn errors_of_go_casper_that_stay_errors() {
    for bytes in [&[0xff_u8][..], &[0x80, 0xff]] {
        assert_eq!(go_reader::decode(bytes, 6), None);
        let error = Set::decode(GoCasper::new(64, 64), bytes, 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
    }
}

#[test]
fn parameters_are_checked() {
    assert_eq!(GoCasper::checked(0, 64), None);
    assert_eq!(GoCasper::checked(9, 100), None);
    assert_eq!(GoCasper::checked(9, 1), None);
    assert_eq!(GoCasper::checked(9, 64), Some(GoCasper::new(9, 64)));
    assert_eq!(H2oCasper::checked(16), None);
    assert_eq!(H2oCasper::checked(0), None);
    assert_eq!(CacheDigest::checked(32), None);
    assert_eq!(Kazuho00::checked(32), None);
    assert_eq!(Bip158::checked([0; 16], 0, 19), None);
    assert_eq!(Bip158::checked([0; 16], 784_931, 11), None);
    assert_eq!(Bip158::checked([0; 16], 784_931, 33), None);
    assert_eq!(HeadstartV1::checked([0; 16], 0, 5), None);
    assert_eq!(HeadstartV1::checked([0; 16], 32, 5), None);
    assert_eq!(HeadstartV1::checked([0; 16], 5, 32), None);
}

//! Our own format: exact, canonical, and no use of any byte but the right one.

use super::*;

const KEY: [u8; 16] = *b"0123456789abcdef";

fn profile() -> impl Strategy<Value = HeadstartV1> {
    (1..=31u32, 0..=31u32)
        .prop_map(|(remainder_bits, capacity_bits)| HeadstartV1::new(KEY, remainder_bits, capacity_bits))
}

/// Bytes that begin as a header of the profile does.
fn profile_and_bytes() -> impl Strategy<Value = (HeadstartV1, Vec<u8>)> {
    (profile(), 0..99u64, vec(any::<u8>(), 0..40)).prop_map(|(profile, count, tail)| {
        let mut bits = BitWriter::default();
        profile.write_header(&profile.layout(count), &mut bits);
        for byte in tail {
            bits.put(u64::from(byte), 8);
        }
        (profile, bits.finish(false))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(MANY / 4))]

    #[test]
    fn growing_uniting_and_building_are_one(profile in profile(), left in vec(any::<u16>(), 0..30), right in vec(any::<u16>(), 0..30)) {
        let key = |key: &u16| format!("/{key}.js");
        let built = Builder::from_keys(profile, left.iter().chain(&right).map(key)).finish();

        let mut grown = Set::decode(profile, &Builder::from_keys(profile, left.iter().map(key)).finish(), 30).unwrap();
        let mut united = grown.clone();
        for key in right.iter().map(key) {
            let held = grown.contains(key.as_bytes());
            prop_assert_eq!(grown.insert(key.as_bytes()), !held);
        }
        prop_assert_eq!(grown.encode(), built.clone());

        let other = Set::from_keys(profile, right.iter().map(key));
        united.union(&other).unwrap();
        prop_assert_eq!(united.encode(), built.clone());
        let mut rebuilt = other.into_builder();
        rebuilt.extend(left.iter().map(key));
        prop_assert_eq!(rebuilt.finish(), built.clone());
        let mut extended = Set::new(profile);
        extended.extend(left.iter().chain(&right).map(key));
        prop_assert_eq!(&extended, &grown);

        for key in left.iter().chain(&right).map(key) {
            prop_assert!(grown.contains(key.as_bytes()));
        }
    }

    #[test]
    fn a_set_has_one_form((profile, bytes) in profile_and_bytes()) {
        if let Ok(set) = Set::decode(profile, &bytes, 999) {
            prop_assert_eq!(set.encode(), bytes);
        }
    }

    #[test]
    fn a_set_with_a_bit_turned_is_another_set_or_none(profile in profile(), keys in vec(any::<u16>(), 0..30), turned in any::<prop::sample::Index>()) {
        let mut bytes = Builder::from_keys(profile, keys.iter().map(|key| key.to_be_bytes())).finish();
        let before = Set::decode(profile, &bytes, 99).unwrap();
        let place = turned.index(bytes.len() * 8);
        bytes[place / 8] ^= 0x80 >> (place % 8);
        if let Ok(set) = Set::decode(profile, &bytes, 99) {
            prop_assert_ne!(&set, &before);
            prop_assert_eq!(set.encode(), bytes);
        }
    }

    #[test]
    fn a_form_has_one_length(profile in profile(), keys in vec(any::<u16>(), 0..30), more in 1..=255u8) {
        let bytes = Builder::from_keys(profile, keys.iter().map(|key| key.to_be_bytes())).finish();
        for end in 0..bytes.len() {
            prop_assert!(Set::decode(profile, &bytes[..end], 99).is_err());
        }
        for byte in [0, more] {
            let longer = [&bytes[..], &[byte]].concat();
            prop_assert_eq!(Set::decode(profile, &longer, 99).unwrap_err().kind(), ErrorKind::Trailing);
        }
    }
}

#[test]
fn each_fault_has_its_name() {
    let profile = HeadstartV1::new(KEY, 7, 6);
    let bytes = Builder::from_keys(profile, ["a", "b", "c"]).finish();
    let fault = |profile, bytes: &[u8], max_len| {
        let error = Set::decode(profile, bytes, max_len).unwrap_err();
        (error.kind(), error.bit())
    };
    assert_eq!(fault(profile, &bytes, 2), (ErrorKind::TooMany, 19));
    assert_eq!(fault(profile, &[], 9), (ErrorKind::Truncated, 0));
    assert_eq!(fault(profile, &bytes[..1], 9), (ErrorKind::Truncated, 4));
    assert_eq!(fault(profile, &[0x20, 0], 9), (ErrorKind::Version, 0));
    assert_eq!(fault(HeadstartV1::new(KEY, 7, 5), &bytes, 9), (ErrorKind::Mismatch, 4));
    assert_eq!(fault(HeadstartV1::new(KEY, 8, 6), &bytes, 9), (ErrorKind::Mismatch, 4));
    assert_eq!(HeadstartV1::of_bytes(KEY, &[0x10, 0]).unwrap_err().kind(), ErrorKind::Header);
    // A count of 2^32 and more, and one that the bytes cannot hold, before anything is allocated.
    let mut bits = BitWriter::default();
    profile.write_header(&profile.layout(1 << 12), &mut bits);
    assert_eq!(fault(profile, &bits.finish(false), usize::MAX).0, ErrorKind::Truncated);
    let header = [&bytes[..1], &[bytes[1] & 0b1111_1100], &[0; 16]].concat();
    assert_eq!(fault(profile, &header, usize::MAX), (ErrorKind::Header, 14));
    assert_eq!(format!("{}", Set::decode(profile, &[], 9).unwrap_err()), "ends before the set does (at bit 0)");
}

#[test]
fn sets_of_different_profiles_do_not_unite() {
    let mut set = Set::new(HeadstartV1::new(KEY, 7, 6));
    let other = Set::new(HeadstartV1::new([0; 16], 7, 6));
    assert_eq!(set.union(&other).unwrap_err().kind(), ErrorKind::Mismatch);
}

#[test]
fn a_set_shows_itself_without_its_key() {
    let text = format!("{:?}", Set::from_keys(HeadstartV1::new(KEY, 7, 6), ["a"]));
    assert!(
        text.starts_with("Set { profile: HeadstartV1 { remainder_bits: 7, capacity_bits: 6, .. }, len: 1"),
        "{text}"
    );
}

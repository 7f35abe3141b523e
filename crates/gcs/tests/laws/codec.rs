//! The code itself: bits as the oracle's, and every query as a look into the list of values.

use super::*;

fn code_and_values(max_bits: u32) -> impl Strategy<Value = (Code, Vec<u64>)> {
    code(max_bits).prop_flat_map(|code| (Just(code), values(code)))
}

/// Bytes that are codewords at first and anything later.
fn code_and_bytes() -> impl Strategy<Value = (Code, Vec<u8>)> {
    (code_and_values(32), vec(any::<u8>(), 0..24), any::<prop::sample::Index>()).prop_map(
        |((code, values), tail, cut)| {
            let mut bytes = naive::encode(code, &values);
            bytes.truncate(cut.index(bytes.len() + 1));
            bytes.extend(tail);
            (code, bytes)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(MANY))]

    #[test]
    fn bytes_are_the_oracles_and_come_back((code, values) in code_and_values(MAX_REMAINDER_BITS)) {
        let profile = Plain(layout(code, Tail::Exact(0)));
        let profile = Plain(profile.layout(values.len() as u64));
        let mut bits = BitWriter::default();
        profile.write_values(&profile.0, &values, &mut bits);
        let bytes = bits.finish(code.padding);
        prop_assert_eq!(&bytes, &naive::encode(code, &values));
        let set = Set::decode(profile, &bytes, values.len()).unwrap();
        prop_assert_eq!(set.values(), &values[..]);
        prop_assert_eq!(set.encode(), bytes);
    }

    #[test]
    fn any_bytes_read_as_the_oracle_reads_them((code, bytes) in code_and_bytes()) {
        let (values, rest) = naive::decode(code, &bytes);
        let read = |tail| Set::decode(Plain(layout(code, tail)), &bytes, usize::MAX).map(|set| set.values().to_vec());

        let mut distinct = values.clone();
        distinct.dedup();
        prop_assert_eq!(read(Tail::Unfinished), Ok(distinct));
        prop_assert_eq!(read(Tail::Counted(values.len() as u64)), Ok(values.clone()));
        let one_more = read(Tail::Counted(values.len() as u64 + 1)).unwrap_err();
        prop_assert_eq!(one_more.kind(), ErrorKind::Truncated);

        // Nothing but padding, and less than a byte of it, may follow.
        let exact = read(Tail::Exact(values.len() as u64));
        let padded = rest < 8 && naive::encode(code, &values) == bytes;
        prop_assert_eq!(exact.is_ok(), padded);
        if let Some((_, fewer)) = values.split_last() {
            prop_assert_eq!(read(Tail::Counted(fewer.len() as u64)), Ok(fewer.to_vec()));
        }
    }

    #[test]
    fn queries_are_looks_into_the_list((code, bytes) in code_and_bytes(), near in vec(any::<prop::sample::Index>(), 0..5), offset in 0..3u64) {
        let (values, _) = naive::decode(code, &bytes);
        let view = View::new(Plain(layout(code, Tail::Counted(values.len() as u64))), &bytes).unwrap();
        let index = Index::new(view, 3, values.len()).unwrap();
        let set = Set::decode(*view.profile(), &bytes, values.len()).unwrap();
        prop_assert_eq!(view.check(values.len()), Ok(values.len()));
        prop_assert_eq!(view.iter().collect::<Result<Vec<_>, _>>().unwrap(), values.clone());

        // Values of the set, and their neighbours.
        let asked: Vec<_> = near.iter().filter(|_| !values.is_empty())
            .map(|near| near.get(&values).saturating_add(offset).saturating_sub(1)).collect();
        for value in &asked {
            let expected = values.contains(value);
            prop_assert_eq!(view.contains_hash(*value), Ok(expected));
            prop_assert_eq!(index.contains_hash(*value), Ok(expected));
            prop_assert_eq!(set.contains_value(*value), expected);
        }
        let keys: Vec<_> = asked.iter().map(|value| value.to_be_bytes()).collect();
        let mut held = vec![true; keys.len()];
        view.contains_many(&keys, &mut held).unwrap();
        let expected: Vec<_> = asked.iter().map(|value| values.contains(value)).collect();
        prop_assert_eq!(held, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(MANY / 4))]

    #[test]
    fn limits_hold((code, bytes) in code_and_bytes(), max_len in 0..40usize, max_unary in 0..80u64) {
        let (mut values, _) = naive::decode(code, &bytes);
        values.dedup();
        let profile = Plain(layout(code, Tail::Unfinished));
        match Set::decode(profile, &bytes, max_len) {
            Ok(set) => prop_assert!(set.len() == values.len() && set.len() <= max_len),
            Err(error) => prop_assert!(error.kind() == ErrorKind::TooMany && values.len() > max_len),
        }
        prop_assert_eq!(
            Set::decode(profile, &bytes, Limits::len(99_999).bytes(bytes.len().saturating_sub(1))).is_err(),
            !bytes.is_empty()
        );
        let longest = longest_run(code, &bytes);
        let limited = Set::decode(profile, &bytes, Limits::len(99_999).unary(max_unary));
        prop_assert_eq!(limited.is_ok(), longest <= max_unary, "longest run {}", longest);
    }
}

/// The longest unary run, an unfinished last one included.
fn longest_run(code: Code, bytes: &[u8]) -> u64 {
    let (values, rest) = naive::decode(code, bytes);
    let mut least = 0;
    let mut longest = 0;
    for value in values {
        longest = longest.max((value - least) >> code.remainder_bits);
        least = value + u64::from(code.less_one);
    }
    let one = code.unary == Unary::OnesThenZero;
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1));
    let run = bits.skip(bytes.len() * 8 - rest).take_while(|bit| *bit == one).count();
    longest.max(run as u64)
}

/// Values past the range: what each rule does with them, on both sides of the eight bytes that the fast path needs.
#[test]
fn past_the_range() {
    for tail in [0, 32] {
        let code = Code { unary: Unary::OnesThenZero, less_one: true, padding: false, remainder_bits: 6 };
        let values = [5, 70, 200, 201, 400];
        let mut bytes = naive::encode(code, &values);
        bytes.extend(vec![0xff; tail]);
        let read = |past_range, range| {
            let layout = Layout { past_range, range, ..layout(code, Tail::Counted(5)) };
            Set::decode(Plain(layout), &bytes, 9).map(|set| set.values().to_vec()).map_err(|error| error.kind())
        };
        assert_eq!(read(PastRange::Dropped, 201), Ok(vec![5, 70, 200]));
        assert_eq!(read(PastRange::Dropped, 401), Ok(values.to_vec()));
        assert_eq!(read(PastRange::Error, 201), Err(ErrorKind::Overflow));
        assert_eq!(read(PastRange::Error, 401), Ok(values.to_vec()));
        assert_eq!(read(PastRange::Kept, 1), Ok(values.to_vec()));
    }
}

/// Values that would pass 2^63 are an error, or the end, and never small again.
#[test]
fn no_value_wraps_around() {
    let code = Code { unary: Unary::OnesThenZero, less_one: false, padding: false, remainder_bits: 56 };
    // 63 ones, a zero, 56 zeros: 63 * 2^56 a time, twice within 2^63; bytes enough for the fast path follow.
    let codeword = 0xffff_ffff_ffff_fffe_u64.to_be_bytes();
    let mut bytes: Vec<u8> = (0..5).flat_map(|_| [&codeword[..], &[0; 7]].concat()).collect();
    bytes.extend([0; 16]);
    let read = |past_range| {
        let layout = Layout { past_range, ..layout(code, Tail::Unfinished) };
        let view = View::new(Plain(layout), &bytes).unwrap();
        let one_by_one = view.iter().collect::<Result<Vec<_>, _>>();
        let at_once = Set::decode(Plain(layout), &bytes, 99).map(|set| set.values().to_vec());
        assert_eq!(one_by_one, at_once);
        at_once.map_err(|error| (error.kind(), error.bit()))
    };
    assert_eq!(read(PastRange::Kept), Err((ErrorKind::Overflow, 240)));
    assert_eq!(read(PastRange::Error), Err((ErrorKind::Overflow, 240)));
    assert_eq!(read(PastRange::Dropped), Ok(vec![63 << 56, 126 << 56]));
}

/// Many keys at once, of sets from empty to large, and more keys than one pass takes.
#[test]
fn many_keys_of_small_and_large_sets() {
    let code = Code { unary: Unary::ZerosThenOne, less_one: true, padding: false, remainder_bits: 6 };
    for len in [0, 1, 127, 128, 129, 1000] {
        let values: Vec<u64> = (0..len).map(|i| i * 61 + i % 7).collect();
        let bytes = naive::encode(code, &values);
        let view = View::new(Plain(layout(code, Tail::Counted(len))), &bytes).unwrap();
        let keys: Vec<_> = (0..500u64).map(|key| (key * 7919 % 70_000).to_be_bytes()).collect();
        let mut held = vec![true; keys.len()];
        let expected: Vec<_> = keys.iter().map(|key| values.contains(&u64::from_be_bytes(*key))).collect();
        let count = view.contains_many(&keys, &mut held).unwrap();
        assert_eq!(held, expected, "{len} values");
        assert_eq!(count, expected.iter().filter(|held| **held).count());
        assert!(len < 1000 || count > 5);
    }
}

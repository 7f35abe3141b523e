//! Cache-Digest, the tool before it, and the two codes of golombset.

use super::*;

fn vectors() -> Value {
    load(include_str!("cache_digest_gcs.json"))
}

#[test]
fn hashes() {
    for case in vectors()["calc_hash"].as_array().unwrap() {
        let url = case["url"].as_str().unwrap().as_bytes();
        let etag = case["etag"].as_str().unwrap_or_default().as_bytes();
        let hash = u64::from_str_radix(case["sha256_first64_hex"].as_str().unwrap(), 16).unwrap();
        assert_eq!(CacheDigest::default().hash_validated(url, etag), hash);
        if etag.is_empty() {
            assert_eq!(CacheDigest::default().hash(url), hash);
        }
    }
    for case in vectors()["sha256_truncated"].as_array().unwrap() {
        let hash = CacheDigest::default().hash(case["input"].as_str().unwrap().as_bytes());
        assert_eq!(hash >> (64 - int(&case["bits"])), case["value"].as_u64().unwrap());
    }
}

/// The values alone: a digest whose header is cut off.
#[test]
fn codewords() {
    for case in vectors()["gcs_encode_values"].as_array().unwrap() {
        let values = numbers(&case["values"]);
        let mut bits = BitWriter::default();
        let layout = Layout {
            code: Code {
                unary: Unary::ZerosThenOne,
                less_one: true,
                padding: false,
                remainder_bits: int(&case["log2p"]),
            },
            range: 1 << 20,
            tail: Tail::Unfinished,
            past_range: PastRange::Error,
        };
        CacheDigest::default().write_values(&layout, &values, &mut bits);
        assert_eq!(bits.finish(false), hex(&case["hex"]));
    }
}

#[test]
fn digests() {
    for case in vectors()["digest"].as_array().unwrap() {
        let profile = CacheDigest::new(int(&case["log2p"]));
        let bytes = hex(&case["hex"]);
        check(profile, &strings(&case["urls"]), &bytes, None);
        assert_eq!(
            View::new(profile, &bytes).unwrap().layout().range.ilog2(),
            int(&case["log2n"]) + int(&case["log2p"])
        );
        if let Some(header) = case["header"].as_str() {
            assert_eq!(to_base64url(&bytes), header);
        }
    }
}

#[test]
fn header_sequence() {
    let mut digests = CacheDigests::new(8, 64);
    let state = |sets: &[Set<CacheDigest>]| -> Vec<(u32, Vec<u64>)> {
        sets.iter().map(|set| (set.layout().range.ilog2(), set.values().to_vec())).collect()
    };
    let expected = |value: &Value| -> Vec<(u32, Vec<u64>)> {
        value.as_array().unwrap().iter().map(|set| (int(&set["capacity_bits"]), numbers(&set["keys"]))).collect()
    };
    for case in vectors()["header_sequence"].as_array().unwrap() {
        digests.load(case["load"].as_str().unwrap().as_bytes());
        assert_eq!(state(digests.urls()), expected(&case["url_only"]));
        assert_eq!(state(digests.validated()), expected(&case["url_and_etag"]));
        assert_eq!(digests.is_complete(), case["complete"].as_bool().unwrap());
        for (url, answer) in case["lookup_url"].as_object().unwrap() {
            let answer = match answer.as_str().unwrap() {
                "FRESH" => Freshness::Fresh,
                "NOT_CACHED" => Freshness::NotCached,
                _ => Freshness::Unknown,
            };
            assert_eq!(digests.lookup(url.as_bytes()), answer, "{url}");
        }
    }
}

#[test]
fn a_header_is_bounded_and_flags_are_case_insensitive() {
    let url = b"https://example.com/style.css";
    let mut digests = CacheDigests::new(2, 64);
    assert_eq!(digests.load(b"AfdA ; Complete, AfdA;sTaLe, AfdA;new-flag,,  , AfdA, AfdA, AfdA"), 2);
    assert_eq!(digests.lookup(url), Freshness::Fresh);
    assert_eq!(digests.lookup(b"https://example.com/other.css"), Freshness::Unknown);
    assert_eq!(digests.lookup_validated(url, b"\"etag\""), Freshness::Unknown);
    assert_eq!(digests.load(b"AcA; RESET; complete"), 1);
    assert_eq!(digests.lookup(url), Freshness::NotCached);
    let mut digests = CacheDigests::new(2, Limits::len(64).bytes(2));
    assert_eq!(digests.load(b"AfdA"), 0);
}

#[test]
fn the_older_tool() {
    let vectors = load(include_str!("cache_digest_kazuho00.json"));
    for case in vectors["digest"].as_array().unwrap() {
        let profile = Kazuho00::new(int(&case["log2p"]));
        let values = numbers(&case["values"]);
        check(profile, &strings(&case["urls"]), &hex(&case["hex_from_compiled_tool"]), Some(&values));
    }
}

/// A format chosen at run time, outside the library: both codes of golombset as one type.
#[derive(Clone, Copy)]
enum Golombset {
    /// Upstream: the remainder bits in a five-bit header, ones then zero, padded with ones.
    Head { remainder_bits: u32 },
    /// H2O's copy: no header, zeros then one, padded with zeros.
    H2o { remainder_bits: u32 },
}

impl Profile for Golombset {
    fn hash(&self, key: &[u8]) -> u64 {
        key.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }

    fn value(&self, hash: u64, layout: &Layout) -> u64 {
        hash % layout.range
    }

    fn read_header(&self, bits: &mut BitReader<'_>) -> Result<Layout, Error> {
        if let Golombset::Head { .. } = self {
            bits.skip(5);
        }
        Ok(self.layout(0))
    }
}

impl Encode for Golombset {
    fn layout(&self, _: u64) -> Layout {
        let (unary, remainder_bits) = match *self {
            Golombset::Head { remainder_bits } => (Unary::OnesThenZero, remainder_bits),
            Golombset::H2o { remainder_bits } => (Unary::ZerosThenOne, remainder_bits),
        };
        Layout {
            code: Code { unary, less_one: true, padding: unary == Unary::OnesThenZero, remainder_bits },
            range: 1 << 32,
            tail: Tail::Unfinished,
            past_range: PastRange::Dropped,
        }
    }

    fn write_header(&self, _: &Layout, bits: &mut BitWriter) {
        if let Golombset::Head { remainder_bits } = *self {
            bits.put(u64::from(remainder_bits), 5);
        }
    }
}

impl FixedRange for Golombset {}

#[test]
fn both_codes_of_golombset() {
    let vectors = load(include_str!("golombset.json"));
    let keys: Vec<_> = numbers(&vectors["values"]).iter().map(|value| value.to_be_bytes()).collect();
    let values = numbers(&vectors["values"]);
    let head = Golombset::Head { remainder_bits: 5 };
    check(head, &keys, &hex(&vectors["head_fixed_bits_length5_calc"]), Some(&values));
    check(Golombset::H2o { remainder_bits: 6 }, &keys, &hex(&vectors["h2o_fixed_bits6"]), Some(&values));
}

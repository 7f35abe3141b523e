//! The size of a set and its rate of false positives.

use super::*;

const KEY: [u8; 16] = *b"a fixed seed, 16";

/// A million keys that were never added, at most a tenth more found than stated.
fn check(held: usize, rate: f64, contains: impl Fn(&[u8]) -> bool) {
    for key in 0..held {
        assert!(contains(format!("/held/{key}").as_bytes()), "a false negative");
    }
    let probes = 1_000_000u32;
    let found = (0..probes).filter(|probe| contains(&probe.to_be_bytes())).count();
    let measured = found as f64 / f64::from(probes);
    assert!(measured < rate * 1.1 && measured > rate * 0.9, "measured {measured}, stated {rate}");
}

fn keys(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|key| format!("/held/{key}"))
}

#[test]
fn headstart_v1_full() {
    let set = Set::from_keys(HeadstartV1::new(KEY, 6, 9), keys(512));
    check(512, set.false_positive_rate(), |key| set.contains(key));
    // Two of 512 values in 32,768 meet now and then.
    assert!(set.false_positive_rate() > 0.98 / 64.0 && set.false_positive_rate() <= 1.0 / 64.0);
}

#[test]
fn headstart_v1_half_full() {
    let set = Set::from_keys(HeadstartV1::new(KEY, 6, 10), keys(512));
    check(512, 0.5 / 64.0, |key| set.contains(key));
}

#[test]
fn go_casper() {
    let set = Set::from_keys(GoCasper::new(500, 64), keys(500));
    check(500, 1.0 / 64.0, |key| set.contains(key));
}

#[test]
fn h2o_casper() {
    let set = Set::from_keys(H2oCasper::new(15), keys(512));
    check(512, 1.0 / 64.0, |key| set.contains(key));
}

#[test]
fn cache_digest() {
    let set = Set::from_keys(CacheDigest::new(6), keys(512));
    check(512, 1.0 / 64.0, |key| set.contains(key));
}

#[test]
fn bip158_with_a_rate_that_can_be_measured() {
    let set = Set::from_keys(Bip158::new(KEY, 100, 6), keys(500));
    check(500, 0.01, |key| set.contains(key));
}

/// The size that the documents state, beside the least that any code of such sets could take: log2(C(range, n)).
#[test]
fn size_against_the_bound() {
    let bound = |range: f64, n: usize| (0..n).map(|i| ((range - i as f64) / (i as f64 + 1.0)).log2()).sum::<f64>();
    for n in [1000, 10_000, 100_000] {
        let set = Set::from_keys(HeadstartV1::for_keys(KEY, 6, n), keys(n));
        let least = bound(set.layout().range as f64, set.len());
        let bits = set.encode().len() as f64 * 8.0;
        assert!(bits < least * 1.022, "n = {n}: {bits} bits, bound {least}");

        let filter = Set::from_keys(Bip158::basic(KEY), keys(n));
        let least = bound(filter.layout().range as f64, n);
        let bits = filter.encode().len() as f64 * 8.0;
        assert!(bits < least * 1.004, "n = {n}: {bits} bits, bound {least}");
    }
}

/// 20 files in a cookie of 46 characters, at one false positive in 1,600.
#[test]
fn a_cookie_is_small() {
    let set = Set::from_keys(HeadstartV1::new(KEY, 7, 8), keys(20));
    let cookie = to_base64url(&set.encode());
    assert!(cookie.len() <= 46, "{}", cookie.len());
    assert!(set.false_positive_rate() < 1.0 / 1600.0);
}

//! Instructions that the codec takes, counted by callgrind: the same on a busy machine as on a quiet one, so a change for the worse fails here.
//!
//! `cargo bench -p headstart-benches --bench gcs_instructions`. See `headstart_benches::callgrind`; for time see `gcs.rs`.

use std::process::ExitCode;

use headstart_benches::callgrind::{self, Case, measured};
use headstart_gcs::{Bip158, Builder, HeadstartV1, Index, Profile, Set, View};

const KEY: [u8; 16] = *b"0123456789abcdef";

const CASES: [Case; 9] = [
    Case { name: "build 1,000 keys, 1/64; a key", run: || build(6), per: 1000, ceiling: Some(495) },
    Case { name: "build 1,000 keys, 1/784931; a key", run: || build(19), per: 1000, ceiling: Some(500) },
    Case { name: "decode 1,000 values, 1/64; a value", run: || decode(6), per: 1000, ceiling: Some(29) },
    Case { name: "decode 1,000 values, 1/784931; a value", run: || decode(19), per: 1000, ceiling: Some(48) },
    Case { name: "one key of 100, from bytes", run: query, per: 1, ceiling: Some(1830) },
    Case { name: "twenty keys of 100, from bytes", run: query_twenty, per: 1, ceiling: Some(11565) },
    Case { name: "one key of 100,000, by index", run: query_index, per: 1, ceiling: Some(620) },
    Case { name: "read a cookie of 20 values", run: read_cookie, per: 1, ceiling: Some(1545) },
    Case { name: "write a cookie of 20 values", run: write_cookie, per: 1, ceiling: Some(1385) },
];

fn main() -> ExitCode {
    callgrind::main("gcs_instructions", &CASES)
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|key| format!("/static/assets/00000/module-{key:06}.js")).collect()
}

fn profile(p: u32) -> Bip158 {
    Bip158::new(KEY, if p == 6 { 64 } else { 784_931 }, p)
}

fn build(p: u32) {
    let keys = keys(1000);
    let bytes = measured(|| Builder::from_keys(profile(p), &keys).finish());
    assert!(View::new(profile(p), &bytes).expect("valid").check(1000) == Ok(1000));
}

fn decode(p: u32) {
    let bytes = Builder::from_keys(profile(p), keys(1000)).finish();
    let set = measured(|| Set::decode(profile(p), &bytes, 1000)).expect("valid");
    assert_eq!(set.len(), 1000);
}

fn query() {
    let keys = keys(100);
    let bytes = Builder::from_keys(profile(6), &keys).finish();
    // A key whose value is in the middle.
    let view = View::new(profile(6), &bytes).expect("valid");
    let value = |key: &&String| profile(6).value(profile(6).hash(key.as_bytes()), view.layout());
    let middle = view.iter().nth(50).expect("100 values").expect("valid");
    let key = keys.iter().find(|key| value(key) == middle).expect("each value has a key");
    assert!(measured(|| View::new(profile(6), &bytes).and_then(|view| view.contains(key.as_bytes()))) == Ok(true));
}

fn query_twenty() {
    let keys = keys(110);
    let bytes = Builder::from_keys(profile(6), &keys[..100]).finish();
    let mut held = [false; 20];
    let view = View::new(profile(6), &bytes).expect("valid");
    let count = measured(|| view.contains_many(&keys[90..], &mut held)).expect("valid");
    assert!(count >= 10 && held[..10].iter().all(|held| *held));
}

fn query_index() {
    let keys = keys(100_000);
    let bytes = Builder::from_keys(profile(6), &keys).finish();
    let index = Index::new(View::new(profile(6), &bytes).expect("valid"), 4, 100_000).expect("valid");
    assert!(measured(|| index.contains(keys[77].as_bytes())) == Ok(true));
}

fn read_cookie() {
    let profile = HeadstartV1::new(KEY, 7, 8);
    let bytes = Builder::from_keys(profile, keys(20)).finish();
    assert_eq!(measured(|| Set::decode(profile, &bytes, 512)).expect("valid").len(), 20);
}

fn write_cookie() {
    let set = Set::from_keys(HeadstartV1::new(KEY, 7, 8), keys(20));
    assert!(measured(|| set.encode()).len() > 20);
}

//! Any bytes as a delta: an error, or one that reads back and that a learner can take in.
#![no_main]

use headstart_learn::{Config, Delta, Learner, Time};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = Delta::from_bytes(body);
    let mut framed = b"HSDELTA\x01".to_vec();
    framed.extend(body);
    framed.extend(crc32fast::hash(&framed).to_le_bytes());
    let Ok(delta) = Delta::from_bytes(&framed) else { return };
    assert_eq!(Delta::from_bytes(&delta.to_bytes()).as_ref(), Ok(&delta));
    let mut config = Config::default();
    config.memory_bytes = 1 << 20;
    let learner = Learner::new(config).expect("the settings are in range");
    learner.merge(Time::from_millis(1 << 40), &delta);
    assert!(learner.stats().bytes <= 1 << 20);
});

//! Any bytes as what another learner tells: an error, or evidence that keeps to the bounds.

use headstart_learn::{ClientClass, Config, Learner, Page, Time};

/// One input: the bytes as they are, and with the head that a delta of this key and half-life has.
pub fn run(body: &[u8]) {
    let learner = Learner::new(config());
    let now = Time::from_millis(1_700_000_000_000);
    learner.accumulate(64 << 10);
    let _ = learner.learn_delta(now, body, 256);
    let mut framed = vec![1];
    framed.extend(learner.key_fingerprint().to_le_bytes());
    // A day and the time, in LEB128.
    for mut number in [86_400_000u64, 1_700_000_000_000] {
        while number >= 0x80 {
            framed.push(number as u8 | 0x80);
            number >>= 7;
        }
        framed.push(number as u8);
    }
    framed.extend(body);
    if learner.learn_delta(now, &framed, 256).is_ok() {
        assert!(learner.stats().bytes <= 1 << 20);
        // What was heard is not told again, but for names that have become known by it.
        let _ = learner.take_delta(now, 1 << 16, 256);
        if let Some(site) = learner.site("a") {
            let plan = learner.plan(now, site, Page::from("/"), ClientClass::Other);
            assert!(plan.iter().all(|candidate| candidate.probability.is_finite()));
        }
    }
}

fn config() -> Config {
    Config::builder().memory_bytes(1 << 20).min_networks(1).build().expect("the settings are in range")
}

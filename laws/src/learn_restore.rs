//! Any bytes as a snapshot: an error or a learner that keeps to its bounds, and that
//! writes a snapshot which reads back.

use headstart_learn::{ClientClass, Config, Learner, Page, Time};

/// One input.
pub fn run(body: &[u8]) {
    // As it is, and with the frame that a real one has, so that the records are reached.
    let _ = Learner::restore(config(), body);
    let mut framed = b"HSLEARN\x02".to_vec();
    framed.extend(body);
    framed.extend(crc32fast::hash(&framed).to_le_bytes());
    if let Ok(learner) = Learner::restore(config(), &framed) {
        assert!(learner.stats().bytes <= 1 << 20);
        let now = Time::from_millis(1);
        let again = learner.snapshot(now);
        let copy = Learner::restore(config(), &again).expect("its own snapshot");
        assert!(copy.stats().pages <= learner.stats().pages);
        if let Some(site) = learner.site("a") {
            assert!(
                learner.plan(now, site, Page::from("/"), ClientClass::Other).iter().all(|c| c.probability.is_finite())
            );
        }
    }
}

fn config() -> Config {
    Config::builder().memory_bytes(1 << 20).min_networks(1).build().expect("the settings are in range")
}

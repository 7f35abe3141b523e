//! Any sequence of operations: the bounds hold, what is planned is sound, and nothing
//! hidden is shown.
#![no_main]

use std::time::Duration;

use headstart_learn::{
    Asset, ClientId, Config, ConnectionId, Delivery, Destination, Fetch, Freshness, Learner, Navigation, NetworkId, Referrer,
    Time, Visit,
};
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 8] = ["/", "/a/1", "/a/2", "/a.css", "/b.1a2b3c.js", "/b.9f8e7d.js", "/c.png?v=1", "/c.png?v=2"];

fuzz_target!(|operations: &[u8]| {
    let mut learner = Learner::new(config()).expect("the settings are in range");
    let (mut now, mut visits) = (1_700_000_000_000u64, Vec::<Visit>::new());
    for operation in operations.chunks_exact(4) {
        let &[what, a, b, c] = operation else { return };
        let Some(site) = learner.site(["x", "y"][usize::from(c >> 7)]) else { return };
        let time = Time::from_millis(now);
        let (page, path) = (PATHS[usize::from(a % 8)], PATHS[usize::from(b % 8)]);
        let (client, connection) = (ClientId(u64::from(c % 4)), ConnectionId(u64::from(c / 4 % 4)));
        let asset = Asset {
            path,
            destination: [Destination::Style, Destination::Script, Destination::Image][usize::from(a % 3)],
            cors: a & 1 == 1,
            bytes: u64::from(b),
            validator: u64::from(a),
            freshness: [Freshness::Stale, Freshness::Fresh, Freshness::Immutable][usize::from(b % 3)],
        };
        let visit = visits.get(usize::from(a) % visits.len().max(1)).copied();
        match what % 14 {
            0 | 1 => visits.push(learner.navigate(
                time,
                &Navigation {
                    site,
                    page,
                    client,
                    connection,
                    network: NetworkId(u64::from(b % 6)),
                    holdout: b & 1 == 1,
                },
            )),
            2 | 3 => visit.into_iter().for_each(|visit| learner.confirm(time, visit)),
            4 => visit.into_iter().for_each(|visit| learner.abandon(time, visit)),
            5 | 6 => {
                let referrer = [Referrer::Absent, Referrer::Origin, Referrer::Path(page)][usize::from(what) % 3];
                learner.fetched(time, &Fetch { site, asset, referrer, client, connection });
            }
            7 => {
                let how = [Delivery::Held, Delivery::Hinted, Delivery::Pushed][usize::from(c) % 3];
                visit.into_iter().for_each(|visit| learner.delivered(time, visit, path, how));
            }
            8 => learner.describe(time, site, &asset),
            9 => learner.gone(time, site, path),
            10 => learner.disconnect(time, connection),
            11 => now = if a & 1 == 1 { now.saturating_add(1 << (b % 44)) } else { now.saturating_sub(1 << (b % 44)) },
            12 => learner.finish(time),
            _ => learner = Learner::restore(config(), &learner.snapshot(time)).expect("its own snapshot"),
        }
        let plan = learner.plan(time, site, page);
        assert!(plan.len() <= 4);
        assert!(plan.iter().all(|c| (0.0..=1.0).contains(&c.probability) && c.lower_bound <= c.probability));
        assert!(plan.iter().all(|c| &*c.path != page));
        for known in learner.explain(time, site, page).assets {
            assert!([known.hits, known.mute, known.effective].iter().all(|w| w.is_finite() && *w >= 0.0));
        }
    }
    let stats = learner.stats();
    assert!(stats.bytes <= 1 << 20 && stats.pages <= 16, "{stats:?}");
});

fn config() -> Config {
    let mut config = Config::default();
    config.memory_bytes = 1 << 20;
    config.max_pages = 16;
    config.max_assets_per_page = 4;
    config.publish = 4;
    config.min_networks = 2;
    config.vote_interval = Duration::from_secs(1);
    config
}

//! Any sequence of operations: the bounds hold, what is planned is sound, and nothing
//! hidden is shown.

use std::time::Duration;

use headstart_learn::{
    Asset, CacheState, ClientClass, ClientId, Config, ConnectionId, Delivery, Destination, Draw, Fetch, Fetched,
    Freshness, Learner, Navigation, NetworkId, Page, Referrer, ReferrerPolicy, Refused, Site, Time, Visit,
};

const PATHS: [&str; 9] =
    ["/", "/?p=1", "/a/1", "/a/2?utm_source=x", "/a.css", "/b.1a2b3c.js", "/b.9f8e7d.js", "/c.png?v=1", "/c.png?v=2"];

/// One input.
pub fn run(operations: &[u8]) {
    let mut learner = Learner::new(config());
    let (mut now, mut visits) = (1_700_000_000_000u64, Vec::<Visit>::new());
    for operation in operations.chunks_exact(4) {
        let &[what, a, b, c] = operation else { return };
        let Some(site) = learner.site(["x", "y"][usize::from(c >> 7)]) else { return };
        let time = Time::from_millis(now);
        let path = |at: u8| PATHS[usize::from(at) % PATHS.len()];
        let (page, path) = (path(a), path(b));
        let client = ClientId::new(u64::from(c % 4));
        let connection = (c & 64 == 0).then(|| ConnectionId::new(u64::from(c / 4 % 4)));
        let class = if c & 32 == 0 { ClientClass::Other } else { ClientClass::Phone };
        let network = NetworkId::new(u64::from(b % 6));
        let asset = Asset {
            path,
            destination: [Destination::Style, Destination::Script, Destination::Image][usize::from(a % 3)],
            cors: a & 1 == 1,
            bytes: u64::from(b),
            validator: u64::from(a),
            personal: c & 16 != 0,
            freshness: [Freshness::Stale, Freshness::Fresh, Freshness::Immutable][usize::from(b % 3)],
        };
        let visit = visits.get(usize::from(a) % visits.len().max(1)).copied();
        match what % 20 {
            0 | 1 => visits.push(learner.navigate(
                time,
                &Navigation {
                    site,
                    page: Page::from(page),
                    client,
                    connection,
                    network,
                    class,
                    cache: if b & 64 == 0 { CacheState::Told } else { CacheState::Unknown },
                },
            )),
            2 | 3 => {
                if let Some(visit) = visit {
                    learner.confirm(time, visit, ReferrerPolicy::Unknown);
                }
            }
            4 => {
                if let Some(visit) = visit {
                    learner.abandon(visit);
                }
            }
            5 | 6 => {
                let referrer = [Referrer::Absent, Referrer::Origin, Referrer::Path(page)][usize::from(what) % 3];
                let fetched = if c & 8 == 0 { Fetched::Full(asset) } else { Fetched::NotModified(path) };
                let urgency = Some(b % 9);
                learner.fetched(time, &Fetch { site, fetched, referrer, client, connection, asked: time, urgency });
            }
            7 => {
                let how = [Delivery::Held, Delivery::Hinted, Delivery::Pushed][usize::from(c) % 3];
                if let Some(visit) = visit {
                    learner.delivered(visit, path, how);
                }
            }
            8 => learner.describe(site, &asset),
            9 => learner.gone(time, site, network, path),
            10 => {
                if let Some(connection) = connection {
                    learner.disconnect(connection);
                }
            }
            11 => now = if a & 1 == 1 { now.saturating_add(1 << (b % 44)) } else { now.saturating_sub(1 << (b % 44)) },
            12 => learner.finish(time),
            13 | 14 => {
                if let Some(visit) = visit {
                    learner.finished(time, visit);
                }
            }
            15 => learner.posted(time, site, client, Page::from(page)),
            16 => {
                let draw = Draw { chance: f32::from(a) / 255.0, held_out: b & 1 == 1 };
                if let Some(visit) = visit {
                    learner.drawn(visit, draw);
                }
            }
            17 => {
                let plan = learner.plan(time, site, Page::from(page), class);
                if let Some(visit) = visit {
                    learner.hold(visit, &plan, |known| known.path.len() % 2 == 0);
                }
            }
            18 => {
                let referrer = [Referrer::Absent, Referrer::Origin, Referrer::Path(page)][usize::from(b) % 3];
                learner.refused(time, &Refused { site, referrer, client, connection, asked: time, reason: a % 20 });
            }
            _ => {
                let reasons = |learner: &Learner| learner.explain(time, site, Page::from(page), class).reasons;
                let before = reasons(&learner);
                learner = Learner::restore(config(), &learner.snapshot(time)).expect("its own snapshot");
                assert_eq!(reasons(&learner), before);
            }
        }
        check_plan(&learner, time, site, (page, class));
    }
    let stats = learner.stats();
    assert!(stats.bytes <= 1 << 20 && stats.pages <= 16, "{stats:?}");
}

/// What is planned is sound.
fn check_plan(learner: &Learner, time: Time, site: Site, (name, class): (&str, ClientClass)) {
    let page = Page::from(name);
    let plan = learner.plan(time, site, page, class);
    assert!((0.0..=0.25).contains(&learner.holdout_chance(site, &plan)));
    assert!(plan.len() <= 4);
    assert!(plan.iter().all(|c| (0.0..=1.0).contains(&c.probability) && c.lower_bound <= c.probability));
    assert!(plan.iter().all(|c| &*c.path != name));
    for known in learner.explain(time, site, page, class).assets {
        assert!([known.hits, known.mute, known.effective].iter().all(|w| w.is_finite() && *w >= 0.0));
    }
}

fn config() -> Config {
    let builder = Config::builder().memory_bytes(1 << 20).max_pages(16).max_assets_per_page(4).publish(4);
    builder.min_networks(2).vote_interval(Duration::from_secs(1)).build().expect("the settings are in range")
}

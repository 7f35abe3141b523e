//! Many threads at once: nothing is lost, nothing is counted twice, readers are served.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use headstart_learn::*;
use support::*;

const WRITERS: u64 = 4;
const VISITS: u64 = 500;

#[test]
fn every_visit_is_learned_once() {
    let settings = eager_builder(1).window(std::time::Duration::from_millis(50)).build().expect("in range");
    let world = Arc::new(World::new(settings));
    let stop = Arc::new(AtomicBool::new(false));
    let clock = Arc::new(AtomicU64::new(world.now));
    let now = |clock: &AtomicU64| Time::from_millis(clock.fetch_add(1, Ordering::Relaxed));
    thread::scope(|scope| {
        let mut writers = Vec::new();
        for writer in 0..WRITERS {
            let (world, clock) = (Arc::clone(&world), Arc::clone(&clock));
            writers.push(scope.spawn(move || {
                for n in 0..VISITS {
                    let who = (ClientId::new(writer * VISITS + n), ConnectionId::new(writer * VISITS + n));
                    let page = format!("/page/{}", n % 5);
                    let visit = world.learner.navigate(now(&clock), &world.navigation(&page, who, writer));
                    world.learner.confirm(now(&clock), visit, ReferrerPolicy::Unknown);
                    for path in ["/a.css", "/b.js"] {
                        let fetch = Fetch {
                            site: world.site,
                            fetched: Fetched::Full(asset(path, n)),
                            referrer: Referrer::Absent,
                            client: who.0,
                            connection: Some(who.1),
                            asked: Time::from_millis(clock.load(Ordering::Relaxed)),
                            urgency: None,
                        };
                        world.learner.fetched(now(&clock), &fetch);
                    }
                    if n % 50 == 0 {
                        world.learner.finish(now(&clock));
                    }
                }
            }));
        }
        for _ in 0..2 {
            let (world, stop, clock) = (Arc::clone(&world), Arc::clone(&stop), Arc::clone(&clock));
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let plan = world.learner.plan(now(&clock), world.site, page("/page/1"), ClientClass::Other);
                    assert!(plan.len() <= 2);
                    assert!(plan.iter().all(|candidate| (0.0..=1.0).contains(&candidate.probability)));
                    let bytes = world.learner.snapshot(now(&clock));
                    assert!(Learner::restore(eager(1), &bytes).is_ok());
                }
            });
        }
        for writer in writers {
            writer.join().expect("no writer panics");
        }
        stop.store(true, Ordering::Relaxed);
    });
    world.learner.finish(now(&clock));
    let stats = world.learner.stats();
    assert_eq!(stats.learned + stats.reasons.no_assets + stats.reasons.not_a_page, WRITERS * VISITS, "{stats:?}");
    assert_eq!(stats.open_visits, 0);
    let counted: u32 = (0..5).map(|n| page_visits(&world, &format!("/page/{n}"))).sum();
    assert_eq!(u64::from(counted), stats.learned);
}

/// Visits counted at the page itself.
fn page_visits(world: &World, page: &str) -> u32 {
    let levels = world.explain(page).levels;
    levels.iter().filter(|level| level.level == Level::Page).map(|level| level.visits).sum()
}

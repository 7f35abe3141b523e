//! Thousands of interleavings of the learner's locks, chosen by shuttle:
//! `RUSTFLAGS="--cfg headstart_shuttle" cargo test -p headstart-learn --test interleavings`.
//!
//! Without that setting the locks are those of the standard library and there is nothing here.
#![cfg(headstart_shuttle)]

mod support;

use std::sync::Arc;

use headstart_learn::*;
use shuttle::thread;
use support::*;

const ITERATIONS: usize = 2_000;

/// Two visitors, a reader, and a server that closes visits and saves the state, all at once.
#[test]
fn a_visit_is_learned_once_whoever_closes_it() {
    shuttle::check_random(
        || {
            let world = Arc::new(World::new(eager(1)));
            let now = world.time();
            let mut threads = Vec::new();
            for n in 1..=2u64 {
                let world = Arc::clone(&world);
                threads.push(thread::spawn(move || {
                    let who = (ClientId::new(n), ConnectionId::new(n));
                    let visit = world.learner.navigate(now, &world.navigation("/", who, n));
                    world.learner.confirm(now, visit, ReferrerPolicy::Unknown);
                    let added = world.fetch("/a.css", Referrer::Path("/"), who).is_some();
                    world.learner.finish(now);
                    u64::from(added)
                }));
            }
            let closer = Arc::clone(&world);
            threads.push(thread::spawn(move || {
                closer.learner.finish(now);
                assert!(Learner::restore(eager(1), &closer.learner.snapshot(now)).is_ok());
                0
            }));
            let reader = Arc::clone(&world);
            threads.push(thread::spawn(move || {
                assert!(reader.plan("/").len() <= 1);
                reader.gone("/other.css");
                0
            }));
            let added: u64 = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
            let stats = world.learner.stats();
            assert_eq!(stats.learned + stats.reasons.no_assets + stats.reasons.not_a_page, 2);
            assert_eq!((stats.open_visits, stats.learned <= added), (0, true));
        },
        ITERATIONS,
    );
}

/// News of an asset and the building of a plan: whoever comes first, the plan ends up with the news.
#[test]
fn a_plan_is_current_once_all_is_quiet() {
    shuttle::check_random(
        || {
            let mut world = World::new(eager(1));
            world.views(2, "/", &["/a.css", "/b.js"]);
            let world = Arc::new(world);
            let describer = Arc::clone(&world);
            let threads = [
                thread::spawn(move || {
                    describer.learner.describe(describer.site, &asset("/a.css", 7));
                    describer.gone("/b.js");
                }),
                {
                    let reader = Arc::clone(&world);
                    thread::spawn(move || drop(reader.plan("/")))
                },
                {
                    let reader = Arc::clone(&world);
                    thread::spawn(move || drop(reader.plan("/")))
                },
            ];
            for thread in threads {
                thread.join().expect("no panic");
            }
            let plan = world.plan("/");
            assert_eq!(plan.iter().map(|c| (&*c.path, c.validator)).collect::<Vec<_>>(), [("/a.css", 7)]);
        },
        ITERATIONS,
    );
}

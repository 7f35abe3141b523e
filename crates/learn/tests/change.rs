//! The learner right after a change, after silence, and for those who come back.

mod support;

use std::collections::HashSet;

use headstart_learn::*;
use support::traffic::{Outcome, Server, Visitor, names};
use support::{DAY, HOUR, SECOND};

const MINUTE: u64 = 60 * SECOND;

/// The mean recall of the views that were not held out.
fn recall(outcomes: &[Outcome]) -> f64 {
    let told: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.held_out).collect();
    told.iter().map(|outcome| outcome.recall()).sum::<f64>() / told.len().max(1) as f64
}

/// `count` views of strangers, `every` milliseconds apart.
fn views(server: &mut Server, page: &str, needs: &[String], count: usize, every: u64) -> Vec<Outcome> {
    let view = |_| {
        let outcome = server.view(&Visitor::new(page, needs));
        server.pass(every);
        outcome
    };
    (0..count).map(view).collect()
}

#[test]
fn a_deploy_that_takes_the_old_files_away_is_followed_from_the_fifth_visit() {
    for (old, new) in [
        (names("a", 12, ".1a2b3c.js"), names("a", 12, ".9f8e7d.js")),
        (names("old", 12, ".js"), names("new", 12, ".js")),
    ] {
        let mut server = Server::new(1);
        server.history("/", &old, DAY, 10 * MINUTE);
        assert!(recall(&views(&mut server, "/", &old, 10, MINUTE)) > 0.95);
        server.gone.extend(old.iter().cloned());
        for pace in [10 * MINUTE, MINUTE] {
            let after = views(&mut server, "/", &new, 40, pace);
            let late = after.iter().skip(5).collect::<Vec<_>>();
            let late: Vec<Outcome> = late.into_iter().cloned().collect();
            assert!(
                recall(&late) > 0.95,
                "{} {:?}",
                recall(&late),
                after.iter().map(Outcome::recall).collect::<Vec<_>>()
            );
            assert!(late.iter().all(|outcome| !outcome.hinted.iter().any(|path| old.contains(path))));
        }
    }
}

#[test]
fn a_deploy_on_a_busy_page_is_followed_within_ten_seconds() {
    let (old, new) = (names("a", 12, ".1a2b3c.js"), names("a", 12, ".9f8e7d.js"));
    let mut server = Server::new(2);
    server.history("/", &old, 3 * HOUR, SECOND);
    server.gone.extend(old.iter().cloned());
    let after = views(&mut server, "/", &new, 60, SECOND);
    assert!(recall(&after[10..]) > 0.95, "{:?}", after.iter().map(Outcome::recall).collect::<Vec<_>>());
}

#[test]
fn one_new_stylesheet_on_an_established_page_is_hinted_within_ten_visits() {
    let needs = names("a", 12, ".js");
    for (span, pace) in [(3 * DAY, 10 * MINUTE), (3 * DAY, 2 * MINUTE)] {
        let mut server = Server::new(3);
        server.history("/", &needs, span, pace);
        let mut more = needs.clone();
        more.push("/new.css".to_owned());
        let after = views(&mut server, "/", &more, 40, pace);
        let hinted = |outcome: &&Outcome| outcome.held_out || outcome.hinted.iter().any(|path| path == "/new.css");
        assert!(after.iter().skip(10).all(|outcome| hinted(&outcome)), "{pace}");
    }
}

#[test]
fn what_a_page_stops_needing_leaves_its_plan_and_the_rest_stays() {
    let needs = names("a", 12, ".js");
    let mut counts = Vec::new();
    for seed in 0..9 {
        let mut server = Server::new(100 + seed);
        server.history("/", &needs, DAY / 2, MINUTE);
        let kept = needs[..6].to_vec();
        let mut until = None;
        let mut outcomes = Vec::new();
        for n in 0..500 {
            // Three views in a hundred are of bots that load one thing.
            let bot = server.random.share() < 0.03;
            let outcome = server.view(&Visitor::new("/", if bot { &kept[..1] } else { &kept }));
            server.pass(MINUTE);
            if !outcome.held_out && !bot {
                let junk = needs[6..].iter().any(|path| outcome.hinted.contains(path));
                assert!(!junk || until.is_none_or(|until| n < until + 20), "{seed}: it came back at view {n}");
                until = if junk { until } else { until.or(Some(n)) };
                outcomes.push(outcome);
            }
        }
        counts.push(until.unwrap_or(usize::MAX));
        assert!(recall(&outcomes) >= 0.95, "{seed}: {}", recall(&outcomes));
    }
    counts.sort_unstable();
    assert!(counts[4] <= 300, "{counts:?}");
}

#[test]
fn a_flash_crowd_that_needs_less_is_forgotten_within_an_hour() {
    let needs = names("a", 12, ".js");
    let mut server = Server::new(5);
    server.history("/", &needs, DAY, MINUTE);
    for _ in 0..8_000 {
        server.view(&Visitor::new("/", &needs[..4]));
        server.pass(100);
    }
    let after = views(&mut server, "/", &needs, 120, MINUTE);
    assert!(recall(&after[60..]) >= 0.95, "{:?}", after.iter().map(Outcome::recall).collect::<Vec<_>>());
}

#[test]
fn silence_changes_nothing() {
    let needs = names("a", 12, ".js");
    for visits in [10, 100, 1_000] {
        for days in [7, 14, 100] {
            let mut server = Server::new(6);
            server.history("/", &needs, visits * MINUTE, MINUTE);
            let plan = |server: &Server| {
                let plan = server.learner.plan(
                    Time::from_millis(server.now),
                    server.site,
                    Page::from("/"),
                    ClientClass::Other,
                );
                plan.iter().map(|candidate| candidate.path.to_string()).collect::<HashSet<_>>()
            };
            let before = plan(&server);
            server.pass(days * DAY);
            assert_eq!((before.len(), plan(&server)), (12, before), "{visits} visits, {days} days");
        }
    }
}

#[test]
fn rare_visits_are_helped_too() {
    let needs = names("a", 12, ".js");
    for days in [1, 3, 7] {
        let mut server = Server::new(7);
        let outcomes = views(&mut server, "/", &needs, 100, days * DAY);
        assert!(recall(&outcomes[10..]) >= 0.99, "every {days} days: {}", recall(&outcomes[10..]));
    }
}

#[test]
fn visitors_who_hold_everything_say_nothing_against_it() {
    let needs = names("a", 12, ".js");
    for cookies in [true, false] {
        for returning in [0.75, 0.85, 0.9, 0.95] {
            let mut server = Server::new(8);
            server.cookies = cookies;
            let mut fresh = Vec::new();
            let clients = 40;
            for n in 0..1_500u64 {
                let back = n >= clients && server.random.share() < returning;
                let client = back.then(|| server.random.next() % clients).or((n < clients).then_some(n));
                let outcome = server.view(&Visitor { client, ..Visitor::new("/", &needs) });
                server.pass(MINUTE);
                if n > 400 && !back {
                    fresh.push(outcome);
                }
            }
            let least = if cookies { 0.95 } else { 0.9 };
            assert!(recall(&fresh) >= least, "{returning}, cookies {cookies}: {}", recall(&fresh));
        }
    }
}

#[test]
fn a_new_asset_is_noticed_among_those_who_hold_the_rest() {
    let needs = names("a", 12, ".js");
    let mut server = Server::new(9);
    for n in 0..1_000u64 {
        server.view(&Visitor { client: Some(n % 50), ..Visitor::new("/", &needs) });
        server.pass(MINUTE);
    }
    let mut more = needs.clone();
    more.push("/new.css".to_owned());
    for n in 0..10 {
        server.view(&Visitor { client: Some(n), ..Visitor::new("/", &more) });
        server.pass(MINUTE);
    }
    let outcomes = views(&mut server, "/", &more, 5, MINUTE);
    assert!(recall(&outcomes) > 0.99, "{outcomes:?}");
}

#[test]
fn a_click_is_not_hinted_and_a_script_that_runs_for_two_seconds_is() {
    let needs = names("a", 8, ".js");
    let mut server = Server::new(10);
    let (mut clicks, mut scripts) = (0, 0);
    for n in 0..1_000 {
        let clicked = server.random.share() < 0.3;
        let after = 2_000 + server.random.next() % 10_000;
        let late = if clicked { vec![("/click.js".to_owned(), after)] } else { Vec::new() };
        let outcome = server.view(&Visitor { late, ..Visitor::new("/", &needs) });
        clicks += usize::from(outcome.hinted.contains(&"/click.js".to_owned()));
        server.pass(20 * SECOND);
        let late = vec![("/data.js".to_owned(), 2_200)];
        let outcome = server.view(&Visitor { late, ..Visitor::new("/app", &needs) });
        scripts += usize::from(outcome.held_out || n < 10 || outcome.hinted.contains(&"/data.js".to_owned()));
        server.pass(20 * SECOND);
    }
    assert!(clicks <= 10, "{clicks} of 1,000 views");
    assert!(scripts >= 900, "{scripts} of 1,000 views");
}

#[test]
fn a_page_of_105_assets_is_known_as_a_whole() {
    let needs = names("a", 105, ".png");
    let mut server = Server::new(11);
    server.history("/", &needs, 30 * MINUTE, MINUTE);
    let explanation =
        server.learner.explain(Time::from_millis(server.now), server.site, Page::from("/"), ClientClass::Other);
    assert_eq!(explanation.assets.len(), 105);
    assert!(explanation.assets.iter().all(|asset| asset.probability > 0.9));
}

#[test]
fn variants_get_their_own_and_of_alternatives_none_is_sent() {
    let common = names("a", 6, ".js");
    let with = |more: &[&str]| {
        let mut all = common.clone();
        all.extend(more.iter().map(|path| (*path).to_owned()));
        all
    };
    // Phones and others.
    let mut server = Server::new(12);
    let mut outcomes = Vec::new();
    for n in 0..400 {
        let phone = server.random.share() < 0.5;
        let needs = if phone { with(&["/s.css", "/s.png"]) } else { with(&["/l.css", "/l.png"]) };
        let class = if phone { ClientClass::Phone } else { ClientClass::Other };
        let outcome = server.view(&Visitor { class, ..Visitor::new("/", &needs) });
        server.pass(MINUTE);
        if n >= 40 {
            outcomes.push(outcome);
        }
    }
    let waste = |outcomes: &[Outcome]| {
        let hinted = outcomes.iter().map(|o| o.hinted.len()).sum::<usize>();
        outcomes.iter().map(Outcome::junk).sum::<usize>() as f64 / hinted as f64
    };
    assert!(recall(&outcomes) >= 0.9 && waste(&outcomes) <= 0.1, "{} {}", recall(&outcomes), waste(&outcomes));
    // Four views of one path.
    let mut server = Server::new(13);
    let mut outcomes = Vec::new();
    for n in 0..400u64 {
        let view = server.random.next() % 4;
        let page = format!("/router?utm_source=x{n}&view={view}");
        let needs = with(&[&format!("/view{view}.css"), &format!("/view{view}.js")]);
        let outcome = server.view(&Visitor::new(&page, &needs));
        server.pass(MINUTE);
        if n >= 60 {
            outcomes.push(outcome);
        }
    }
    assert!(recall(&outcomes) >= 0.9 && waste(&outcomes) <= 0.1, "{} {}", recall(&outcomes), waste(&outcomes));
    // An experiment that a cookie decides.
    let mut server = Server::new(14);
    let mut outcomes = Vec::new();
    for n in 0..400 {
        let needs = if server.random.share() < 0.5 { with(&["/a.css"]) } else { with(&["/b.css"]) };
        let outcome = server.view(&Visitor::new("/", &needs));
        server.pass(MINUTE);
        if n >= 60 {
            outcomes.push(outcome);
        }
    }
    assert!(waste(&outcomes) <= 0.1, "{}", waste(&outcomes));
    assert!(outcomes.iter().all(|o| o.held_out || common.iter().all(|path| o.hinted.contains(path))));
}

#[test]
fn one_stranger_who_gets_a_404_removes_nothing() {
    let needs = names("a", 4, ".js");
    let mut server = Server::new(15);
    server.history("/", &needs, HOUR, MINUTE);
    for _ in 0..10 {
        server.learner.gone(Time::from_millis(server.now), server.site, NetworkId::new(1), "/a0.js");
        server.pass(SECOND);
    }
    assert!(recall(&views(&mut server, "/", &needs, 5, MINUTE)) > 0.99);
    server.gone.insert("/a0.js".to_owned());
    for network in 1..=2 {
        server.learner.gone(Time::from_millis(server.now), server.site, NetworkId::new(network), "/a0.js");
    }
    let outcomes = views(&mut server, "/", &needs[1..], 5, MINUTE);
    assert!(outcomes.iter().all(|outcome| !outcome.hinted.contains(&needs[0])));
}

#[test]
fn a_site_is_held_out_once_in_sixteen_at_most_and_seldom_where_all_is_settled() {
    let needs = names("a", 12, ".js");
    let mut server = Server::new(16);
    server.history("/", &needs, DAY, MINUTE);
    let outcomes = views(&mut server, "/", &needs, 2_000, MINUTE);
    let share = outcomes.iter().filter(|outcome| outcome.held_out).count() as f64 / 2_000.0;
    assert!(share < 1.0 / 30.0, "{share}");
    // A site of rare pages, each of which is thin.
    let mut server = Server::new(17);
    let mut held_out = 0;
    for n in 0..4_000 {
        let page = format!("/blog/{}", n % 400);
        let outcome = server.view(&Visitor::new(&page, &needs));
        held_out += usize::from(n >= 2_000 && outcome.held_out);
        server.pass(MINUTE);
    }
    assert!(held_out < 2_000 / 13, "{held_out}");
}

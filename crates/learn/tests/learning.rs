//! Learning, by kind of traffic.

mod support;

use headstart_learn::*;
use support::*;

const ASSETS: [&str; 3] = ["/style.css", "/app.js", "/logo.png"];

#[test]
fn a_page_is_planned_in_the_order_of_need() {
    let mut world = World::new(config(3));
    world.views(2, "/", &ASSETS);
    assert!(world.plan("/").is_empty(), "two networks are too few");
    world.views(3, "/", &ASSETS);
    assert_eq!(world.planned("/"), ASSETS);
    let first = world.plan("/").first().cloned().expect("a candidate");
    assert_eq!((first.destination, first.bytes, first.validator), (Destination::Style, 1000, 1));
    assert!(first.probability > 0.85 && first.lower_bound <= first.probability);
}

#[test]
fn one_visit_is_not_enough_even_for_a_single_network() {
    let mut world = World::new(eager(1));
    world.views(1, "/", &ASSETS);
    assert!(world.plan("/").is_empty());
    world.views(1, "/", &ASSETS);
    assert_eq!(world.planned("/"), ASSETS);
}

#[test]
fn what_is_over_is_learned_before_the_first_plan_after_quiet() {
    for (told, quiet) in [(true, 6 * SECOND), (false, 16 * SECOND)] {
        let mut world = World::new(eager(1));
        for _ in 0..2 {
            let (visit, who) = world.open("/", 1);
            for path in ASSETS {
                world.fetch(path, Referrer::Path("/"), who);
            }
            let responses = if told { 1 + ASSETS.len() } else { 0 };
            (0..responses).for_each(|_| world.learner.finished(world.time(), visit));
        }
        world.pass(2 * SECOND);
        assert!(world.plan("/").is_empty(), "its assets may still come");
        world.pass(quiet);
        assert_eq!(world.planned("/"), ASSETS);
        assert_eq!(world.learner.stats().open_visits, 0);
    }
}

#[test]
fn a_clock_that_was_set_costs_no_visit() {
    let mut world = World::new(eager(1));
    for _ in 0..2 {
        let (_, who) = world.open("/", 1);
        world.fetch("/style.css", Referrer::Path("/"), who);
    }
    world.now -= HOUR;
    assert!(world.plan("/").is_empty());
    // Time stands still until the clock goes on.
    let (_, who) = world.open("/other", 1);
    world.fetch("/app.js", Referrer::Path("/other"), who);
    world.pass(16 * SECOND);
    assert_eq!(world.planned("/"), ["/style.css"]);
}

#[test]
fn blocking_assets_break_ties_of_order() {
    let mut world = World::new(eager(1));
    world.views(1, "/", &["/a.png", "/b.css"]);
    world.views(1, "/", &["/b.css", "/a.png"]);
    assert_eq!(world.planned("/"), ["/b.css", "/a.png"]);
}

#[test]
fn an_asset_that_few_views_need_is_not_planned() {
    let mut world = World::new(eager(1));
    world.views(1, "/", &["/style.css", "/rare.png"]);
    for _ in 0..9 {
        world.views(1, "/", &["/style.css"]);
    }
    assert_eq!(world.planned("/"), ["/style.css"]);
    let rare = world.explain("/").assets.into_iter().find(|asset| &*asset.path == "/rare.png");
    assert_eq!(rare.map(|asset| asset.verdict), Some(Verdict::BelowThreshold));
}

#[test]
fn fonts_and_modules_join_the_page_through_their_parents() {
    let mut world = World::new(eager(1));
    for _ in 0..3 {
        let (visit, who) = world.open("/", 1);
        assert_eq!(world.fetch("/style.css", Referrer::Path("/"), who), Some(visit));
        assert_eq!(world.fetch("/font.woff2", Referrer::Path("/style.css"), who), Some(visit));
        assert_eq!(world.fetch("/app.js", Referrer::Path("/"), who), Some(visit));
        assert_eq!(world.fetch("/module.js", Referrer::Path("/app.js"), who), Some(visit));
        assert_eq!(world.fetch("/deep.js", Referrer::Path("/module.js"), who), Some(visit));
        assert_eq!(world.fetch("/odd.png", Referrer::Path("/font.woff2"), who), None);
        world.pass(20 * SECOND);
    }
    world.learner.finish(world.time());
    assert_eq!(world.planned("/"), ["/style.css", "/font.woff2", "/app.js", "/module.js", "/deep.js"]);
}

#[test]
fn without_a_referer_the_connection_decides() {
    let mut world = World::new(eager(1));
    let (visit, who) = world.open("/", 1);
    let (other, _) = world.stranger();
    assert_eq!(world.fetch("/a.css", Referrer::Absent, (other, who.1)), Some(visit));
    assert_eq!(world.fetch("/b.css", Referrer::Origin, who), Some(visit));
    assert_eq!(world.fetch("/c.css", Referrer::Absent, (who.0, ConnectionId::new(999))), None);
    let elsewhere = world.learner.site("other.example").expect("there is room");
    let fetch = Fetch {
        site: elsewhere,
        fetched: Fetched::Full(asset("/d.css", 1)),
        referrer: Referrer::Absent,
        client: who.0,
        connection: Some(who.1),
        asked: world.time(),
        urgency: None,
    };
    assert_eq!(world.learner.fetched(world.time(), &fetch), None);
}

#[test]
fn a_referer_alone_teaches_nothing() {
    let mut world = World::new(eager(1));
    for _ in 0..50 {
        let who = world.stranger();
        assert_eq!(world.fetch("/evil.js", Referrer::Path("/"), who), None);
        let (_, owner) = world.open("/", 1);
        let stranger = (who.0, ConnectionId::new(12345));
        assert_eq!(world.fetch("/evil.js", Referrer::Path("/"), stranger), None);
        world.fetch("/style.css", Referrer::Path("/"), owner);
        world.pass(20 * SECOND);
    }
    assert_eq!(world.planned("/"), ["/style.css"]);
}

#[test]
fn unconfirmed_and_abandoned_visits_are_not_learned() {
    let mut world = World::new(eager(1));
    for round in 0..6 {
        let who = world.stranger();
        let visit = world.learner.navigate(world.time(), &world.navigation("/", who, 1));
        world.fetch("/style.css", Referrer::Path("/"), who);
        if round % 2 == 0 {
            world.learner.abandon(visit);
            world.learner.confirm(world.time(), visit, ReferrerPolicy::Unknown);
        }
        world.pass(20 * SECOND);
    }
    world.learner.finish(world.time());
    assert_eq!(world.learner.stats().learned, 0);
    assert!(world.plan("/").is_empty());
}

#[test]
fn hints_arrive_before_the_page_has_answered() {
    let mut world = World::new(eager(1));
    let who = world.stranger();
    let visit = world.learner.navigate(world.time(), &world.navigation("/", who, 1));
    assert_eq!(world.fetch("/early.css", Referrer::Path("/"), who), Some(visit));
    world.pass(250);
    world.learner.confirm(world.time(), visit, ReferrerPolicy::Unknown);
    world.pass(20 * SECOND);
    world.views(1, "/", &["/early.css"]);
    assert_eq!(world.planned("/"), ["/early.css"]);
}

#[test]
fn what_a_navigation_ends() {
    let mut world = World::new(eager(1));
    let open = |world: &World| world.learner.stats().open_visits;
    let (_, (client, connection)) = world.open("/a", 1);
    let go = |world: &World, page: &str, client, connection| {
        world.learner.navigate(world.time(), &world.navigation(page, (client, connection), 1))
    };
    go(&world, "/b", client, connection);
    assert_eq!(open(&world), 1, "same connection");
    go(&world, "/c", client, ConnectionId::new(77));
    assert_eq!(open(&world), 2, "another connection, still there");
    go(&world, "/c", client, ConnectionId::new(78));
    assert_eq!(open(&world), 2, "same page");
    world.learner.disconnect(ConnectionId::new(78));
    go(&world, "/d", client, ConnectionId::new(79));
    assert_eq!(open(&world), 2, "connection gone");
    for n in 0..20 {
        go(&world, &format!("/page{n}"), client, ConnectionId::new(100 + n));
    }
    assert_eq!(open(&world), 8, "a client has a few");
    world.pass(15 * SECOND);
    world.learner.advance(world.time());
    assert_eq!(open(&world), 0, "the window has passed");
}

#[test]
fn the_page_is_never_its_own_asset() {
    let mut world = World::new(eager(1));
    world.views(3, "/", &["/", "/a.css"]);
    assert_eq!(world.planned("/"), ["/a.css"]);
}

#[test]
fn nor_by_way_of_its_template() {
    let mut world = World::new(eager(1));
    for page in ["/blog/2", "/blog/3", "/blog/4"] {
        world.views(2, page, &["/blog/1", "/a.css"]);
    }
    assert_eq!(world.planned("/blog/1"), ["/a.css"], "never visited");
    world.views(2, "/blog/1", &["/a.css"]);
    assert_eq!(world.planned("/blog/1"), ["/a.css"], "visited");
    assert!(world.planned("/blog/9").contains(&"/blog/1".to_owned()), "others may need it");
}

#[test]
fn cycles_of_referers_end() {
    let mut world = World::new(eager(1));
    for _ in 0..3 {
        let (_, who) = world.open("/", 1);
        world.fetch("/a.css", Referrer::Path("/"), who);
        world.fetch("/b.css", Referrer::Path("/a.css"), who);
        world.fetch("/a.css", Referrer::Path("/b.css"), who);
        world.fetch("/b.css", Referrer::Path("/b.css"), who);
        world.pass(20 * SECOND);
    }
    world.learner.finish(world.time());
    assert_eq!(world.planned("/"), ["/a.css", "/b.css"]);
}

#[test]
fn what_was_delivered_is_no_evidence_of_absence() {
    for how in [Delivery::Held, Delivery::Pushed, Delivery::Hinted] {
        let mut world = World::new(eager(1));
        world.views(10, "/", &["/a.css", "/b.js"]);
        for _ in 0..10 {
            let delivered = [("/a.css", how)];
            world.view(&View { page: "/", assets: &["/b.js"], network: 1, delivered: &delivered });
        }
        let explanation = world.explain("/");
        let a = explanation.assets.iter().find(|asset| &*asset.path == "/a.css").expect("known");
        assert_eq!(a.verdict, Verdict::Planned);
        assert!((a.hits - 10.0).abs() < 0.1 && (a.mute - 10.0).abs() < 0.1, "{a:?}");
        assert!((a.effective - 10.0).abs() < 0.1, "{a:?}");
    }
}

#[test]
fn a_hinted_fetch_is_no_evidence_of_need() {
    let mut world = World::new(eager(1));
    world.views(4, "/", &["/a.css", "/b.js"]);
    for _ in 0..10 {
        let delivered = [("/a.css", Delivery::Hinted)];
        let assets = ["/a.css", "/b.js"];
        world.view(&View { page: "/", assets: &assets, network: 1, delivered: &delivered });
    }
    let explanation = world.explain("/");
    let a = explanation.assets.iter().find(|asset| &*asset.path == "/a.css").expect("known");
    assert!((a.hits - 4.0).abs() < 0.1, "{a:?}");
}

#[test]
fn holdouts_unlearn_a_push_that_the_page_no_longer_needs() {
    let mut world = World::new(eager(1));
    world.views(10, "/", &["/old.js", "/b.js"]);
    for visit in 0..1000 {
        let pushed = [("/old.js", Delivery::Pushed)];
        let planned = world.planned("/").contains(&"/old.js".to_owned());
        let delivered: &[_] = if planned && visit % 32 != 0 { &pushed } else { &[] };
        world.view(&View { page: "/", assets: &["/b.js"], network: 1, delivered });
    }
    assert_eq!(world.planned("/"), ["/b.js"]);
}

#[test]
fn bots_that_load_nothing_do_not_dilute() {
    let mut world = World::new(eager(1));
    world.views(5, "/", &["/a.css"]);
    world.views(50, "/", &[]);
    assert_eq!(world.planned("/"), ["/a.css"]);
    assert_eq!(world.learner.stats().reasons.no_assets, 50);
}

#[test]
fn an_unseen_page_borrows_from_its_template_and_section() {
    let mut world = World::new(eager(1));
    for n in 0..4 {
        world.views(1, &format!("/blog/{n}/post"), &["/blog.css", &format!("/photo{n}.png")]);
    }
    assert_eq!(world.planned("/blog/77/post"), ["/blog.css"]);
    assert_eq!(world.planned("/blog/other/post"), ["/blog.css"]);
    assert!(world.plan("/shop/1/post").is_empty());
}

#[test]
fn gone_assets_and_pages_leave_at_once() {
    let mut world = World::new(eager(1));
    world.views(3, "/", &["/a.css", "/b.js"]);
    world.views(3, "/c", &["/a.css"]);
    assert_eq!(world.planned("/"), ["/a.css", "/b.js"]);
    assert_eq!(world.planned("/c"), ["/a.css"]);
    world.gone("/a.css");
    assert_eq!(world.planned("/"), ["/b.js"]);
    assert!(world.plan("/c").is_empty());
    world.gone("/");
    assert!(world.plan("/").is_empty());
    world.views(3, "/", &["/a.css"]);
    assert_eq!(world.planned("/"), ["/a.css"], "it is learned anew");
}

#[test]
fn metadata_of_a_published_plan_is_current() {
    let mut world = World::new(eager(1));
    world.views(3, "/", &["/a.css"]);
    let old = world.plan("/");
    world.learner.describe(world.site, &Asset { bytes: 5, ..asset("/a.css", 2) });
    let new = world.plan("/");
    assert_eq!(new.first().map(|c| (c.validator, c.bytes)), Some((2, 5)));
    assert_eq!(old.first().map(|c| (c.validator, c.bytes)), Some((1, 1000)), "a plan taken is a value");
    world.learner.describe(world.site, &asset("/unknown.css", 2));
    assert_eq!(world.learner.stats().assets, 1);
}

#[test]
fn old_evidence_fades() {
    let mut world = World::new(eager(1));
    world.views(8, "/", &["/old.css"]);
    world.pass(20 * DAY);
    world.views(3, "/", &["/new.css"]);
    assert_eq!(world.planned("/"), ["/new.css"]);
}

#[test]
fn sites_are_apart() {
    let mut world = World::new(eager(1));
    world.views(3, "/", &["/a.css"]);
    let other = world.learner.site("other.example").expect("there is room");
    assert!(world.learner.plan(world.time(), other, page("/"), ClientClass::Other).is_empty());
}

#[test]
fn what_an_asset_is_fetched_as_is_decided_by_many() {
    let mut world = World::new(eager(3));
    world.views(6, "/", &["/a.css", "/b.js"]);
    let cors = |world: &World| world.plan("/").iter().find(|c| &*c.path == "/a.css").map(|c| (c.destination, c.cors));
    let fetched_as_image = |world: &mut World, network: u64| {
        let (_, (client, connection)) = world.open("/", network);
        let fetch = Fetch {
            site: world.site,
            fetched: Fetched::Full(Asset { destination: Destination::Image, cors: true, ..asset("/a.css", 1) }),
            referrer: Referrer::Path("/"),
            client,
            connection: Some(connection),
            asked: world.time(),
            urgency: None,
        };
        world.learner.describe(world.site, &Asset { cors: true, ..asset("/a.css", 1) });
        world.learner.fetched(world.time(), &fetch);
        world.pass(20 * SECOND);
        world.learner.advance(world.time());
    };
    for _ in 0..20 {
        fetched_as_image(&mut world, 1);
    }
    assert_eq!(cors(&world), Some((Destination::Style, false)), "one network decides nothing");
    for network in 2..4 {
        fetched_as_image(&mut world, network);
    }
    assert_eq!(cors(&world), Some((Destination::Image, true)));
}

#[test]
fn names_that_look_personal_need_eight_networks() {
    let mut world = World::new(eager(3));
    for network in 1..=12u64 {
        let (_, (client, connection)) = world.open("/", network);
        for (path, personal) in [("/a.css", false), ("/u/jane.png", true)] {
            let fetch = Fetch {
                site: world.site,
                fetched: Fetched::Full(Asset { personal, ..asset(path, 1) }),
                referrer: Referrer::Path("/"),
                client,
                connection: Some(connection),
                asked: world.time(),
                urgency: Some(2),
            };
            world.learner.fetched(world.time(), &fetch);
        }
        world.pass(20 * SECOND);
        world.learner.advance(world.time());
        let planned = world.planned("/");
        assert_eq!(planned.contains(&"/a.css".to_owned()), network >= 3, "{network}");
        assert!(network >= 8 || !planned.contains(&"/u/jane.png".to_owned()), "{network}");
    }
    assert_eq!(world.plan("/").iter().map(|c| c.urgency).collect::<Vec<_>>(), [Some(2), Some(2)]);
}

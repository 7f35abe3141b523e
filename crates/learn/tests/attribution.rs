//! To which visit a request belongs, and that of two it is neither.

mod support;

use headstart_learn::*;
use support::*;

fn fetch(
    world: &World,
    path: &str,
    referrer: Referrer<'_>,
    client: ClientId,
    on: Option<ConnectionId>,
) -> Option<Visit> {
    let fetch = Fetch {
        site: world.site,
        fetched: Fetched::Full(asset(path, 1)),
        referrer,
        client,
        connection: on,
        asked: world.time(),
        urgency: None,
    };
    world.learner.fetched(world.time(), &fetch)
}

fn navigate(world: &World, page: &str, client: ClientId, connection: Option<ConnectionId>) -> Visit {
    let navigation = Navigation { connection, ..world.navigation(page, (client, ConnectionId::new(0)), client.get()) };
    let visit = world.learner.navigate(world.time(), &navigation);
    world.learner.confirm(world.time(), visit, ReferrerPolicy::Unknown);
    visit
}

#[test]
fn the_page_before_that_is_shown_again_does_not_teach_the_present_one() {
    let world = World::new(eager(1));
    let (client, connection) = (ClientId::new(1), Some(ConnectionId::new(1)));
    let visit = navigate(&world, "/article", client, connection);
    assert_eq!(fetch(&world, "/a.css", Referrer::Path("/article"), client, connection), Some(visit));
    // Back to `/` from the browser's memory, and a scroll: no navigation is seen.
    assert_eq!(fetch(&world, "/home.png", Referrer::Path("/"), client, connection), None);
    assert_eq!(fetch(&world, "/home.png", Referrer::Origin, client, connection), None);
}

#[test]
fn a_page_that_gives_away_its_origin_only_is_learned_unless_it_said_otherwise() {
    let world = World::new(eager(1));
    let (client, connection) = (ClientId::new(1), Some(ConnectionId::new(1)));
    let visit = navigate(&world, "/article", client, connection);
    assert_eq!(fetch(&world, "/a.css", Referrer::Path("/"), client, connection), Some(visit));
    let visit = navigate(&world, "/other", ClientId::new(2), Some(ConnectionId::new(2)));
    world.learner.confirm(world.time(), visit, ReferrerPolicy::Full);
    assert_eq!(fetch(&world, "/a.css", Referrer::Path("/"), ClientId::new(2), Some(ConnectionId::new(2))), None);
}

#[test]
fn a_post_ends_the_visit_of_its_path() {
    let world = World::new(eager(1));
    let (client, connection) = (ClientId::new(1), Some(ConnectionId::new(1)));
    navigate(&world, "/form", client, connection);
    world.learner.posted(world.time(), world.site, client, Page::from("/form"));
    assert_eq!(fetch(&world, "/result.css", Referrer::Path("/form"), client, connection), None);
}

#[test]
fn of_two_tabs_that_name_no_page_it_is_neither() {
    let mut world = World::new(eager(1));
    let (client, connection) = (ClientId::new(1), Some(ConnectionId::new(1)));
    let first = navigate(&world, "/one", client, connection);
    assert_eq!(fetch(&world, "/one.css", Referrer::Absent, client, connection), Some(first));
    world.pass(2 * SECOND);
    navigate(&world, "/two", client, connection);
    assert_eq!(fetch(&world, "/late.png", Referrer::Absent, client, connection), None);
    assert_eq!(world.learner.stats().reasons.ambiguous, 1);
    // The first has had its time.
    world.pass(14 * SECOND);
    assert!(fetch(&world, "/two.css", Referrer::Absent, client, connection).is_some());
}

#[test]
fn of_two_tabs_that_load_at_once_it_is_neither() {
    let mut world = World::new(eager(1));
    let (client, connection) = (ClientId::new(1), Some(ConnectionId::new(1)));
    let who = (client, ConnectionId::new(1));
    // The page of the first has not been answered when the second is asked for.
    world.learner.navigate(world.time(), &world.navigation("/one", who, 1));
    navigate(&world, "/two", client, connection);
    for referrer in [Referrer::Absent, Referrer::Path("/")] {
        assert_eq!(fetch(&world, "/one.css", referrer, client, connection), None);
    }
    // One that has loaded leaves the connection to the next.
    world.pass(20 * SECOND);
    let first = navigate(&world, "/one", client, connection);
    world.learner.finished(world.time(), first);
    world.pass(2 * SECOND);
    let second = navigate(&world, "/two", client, connection);
    assert_eq!(fetch(&world, "/two.css", Referrer::Absent, client, connection), Some(second));
}

#[test]
fn what_names_no_page_and_comes_before_the_page_is_not_of_it() {
    let mut world = World::new(eager(1));
    for _ in 0..3 {
        let (client, connection) = world.stranger();
        let visit = world.learner.navigate(world.time(), &world.navigation("/", (client, connection), 1));
        world.pass(100);
        fetch(&world, "/stray.png", Referrer::Absent, client, Some(connection));
        world.pass(1_000);
        world.learner.confirm(world.time(), visit, ReferrerPolicy::Unknown);
        world.pass(100);
        fetch(&world, "/a.css", Referrer::Absent, client, Some(connection));
        world.learner.finish(world.time());
    }
    assert_eq!(world.planned("/"), ["/a.css"]);
}

#[test]
fn behind_a_proxy_it_is_the_only_visit_of_the_client() {
    let world = World::new(eager(1));
    let client = ClientId::new(1);
    let first = navigate(&world, "/one", client, None);
    assert_eq!(fetch(&world, "/a.css", Referrer::Absent, client, None), Some(first));
    navigate(&world, "/two", client, None);
    assert_eq!(fetch(&world, "/b.css", Referrer::Absent, client, None), None, "which of the two?");
    assert_eq!(fetch(&world, "/c.css", Referrer::Absent, ClientId::new(2), None), None);
}

#[test]
fn pages_with_queries_are_told_apart_and_campaigns_are_not() {
    let world = World::new(eager(1));
    let (client, connection) = (ClientId::new(1), None);
    let first = navigate(&world, "/?p=1&utm_source=mail", client, connection);
    let second = navigate(&world, "/?p=2", client, connection);
    assert_eq!(fetch(&world, "/a.css", Referrer::Path("/?p=1&utm_source=mail"), client, connection), Some(first));
    assert_eq!(fetch(&world, "/a.css", Referrer::Path("/?p=1"), client, connection), Some(first));
    assert_eq!(fetch(&world, "/a.css", Referrer::Path("/?p=2"), client, connection), Some(second));
    assert_eq!(fetch(&world, "/a.css", Referrer::Path("/?p=3"), client, connection), None, "one of two");
}

#[test]
fn a_304_says_that_the_asset_is_needed_but_makes_nothing_known() {
    let mut world = World::new(eager(1));
    world.views(4, "/", &["/a.css"]);
    for path in ["/a.css", "/unknown.css"] {
        let (visit, (client, connection)) = world.open("/", 9);
        let fetch = Fetch {
            site: world.site,
            fetched: Fetched::NotModified(path),
            referrer: Referrer::Path("/"),
            client,
            connection: Some(connection),
            asked: world.time(),
            urgency: None,
        };
        assert_eq!(world.learner.fetched(world.time(), &fetch), Some(visit));
        world.pass(20 * SECOND);
    }
    world.learner.finish(world.time());
    let explanation = world.explain("/");
    assert_eq!(explanation.assets.len(), 1);
    assert!(explanation.assets[0].hits > 4.9, "{explanation:?}");
}

#[test]
fn a_query_is_shown_once_it_has_passed_the_gate() {
    let mut world = World::new(eager(3));
    world.views(5, "/reset?token=abc", &["/a.css"]);
    let name = |world: &World, page| world.learner.page_name(world.site, Page::from(page));
    assert_eq!(name(&world, "/reset?token=abc&utm_source=x"), "/reset?token=abc");
    let hidden = name(&world, "/reset?token=secret");
    assert!(hidden.starts_with("/reset?#") && !hidden.contains("secret"), "{hidden}");
    assert_eq!(name(&world, "/reset"), "/reset");
}

#[test]
fn random_queries_do_not_flood_the_table() {
    let mut world = World::new(eager(1));
    for n in 0..2_000 {
        world.view(&View { page: &format!("/?x={n}"), assets: &["/a.css"], network: n, delivered: &[] });
    }
    assert!(world.learner.stats().pages < 20, "{:?}", world.learner.stats());
}

#[test]
fn a_visit_is_learned_a_few_seconds_after_its_last_byte() {
    let mut world = World::new(eager(1));
    for _ in 0..2 {
        let (visit, who) = world.open("/", 1);
        world.fetch("/a.css", Referrer::Path("/"), who);
        world.pass(300);
        world.learner.finished(world.time(), visit);
        world.learner.finished(world.time(), visit);
        world.pass(5 * SECOND);
        world.learner.advance(world.time());
    }
    assert_eq!(world.learner.stats().learned, 2);
    assert_eq!(world.planned("/"), ["/a.css"]);
}

#[test]
fn visits_that_come_each_second_are_learned_as_soon() {
    let mut world = World::new(eager(1));
    let mut learned = Vec::new();
    for second in 0..12 {
        learned.push(world.learner.stats().learned);
        let (visit, who) = world.open("/", second);
        world.pass(100);
        // Quiet for a moment, then the page asks for more.
        world.learner.finished(world.time(), visit);
        world.fetch("/a.css", Referrer::Path("/"), who);
        world.pass(100);
        world.learner.finished(world.time(), visit);
        world.pass(800);
        world.learner.advance(world.time());
    }
    // Each a few seconds after its last byte.
    assert_eq!(learned, [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn it_says_how_much_is_known() {
    let mut world = World::new(eager(3));
    assert_eq!(world.explain("/").state, Knowledge::Unknown);
    let (_, who) = world.open("/", 1);
    world.fetch("/a.css", Referrer::Path("/"), who);
    assert_eq!(world.explain("/").state, Knowledge::VisitOpen);
    world.learner.finish(world.time());
    assert_eq!(world.explain("/").state, Knowledge::FewVisits { visits: 1, needed: 2 });
    world.views(2, "/", &["/a.css"]);
    assert_eq!(world.explain("/").state, Knowledge::FewNetworks { networks: 2, needed: 3 });
    assert!(world.learner.stats().reasons.few_networks >= 3);
    world.views(3, "/", &["/a.css"]);
    assert_eq!(world.explain("/").state, Knowledge::Known);
}

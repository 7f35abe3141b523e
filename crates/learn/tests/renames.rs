//! Assets that come back under another fingerprint.

mod support;

use headstart_learn::*;
use support::*;

#[test]
fn a_deploy_is_followed_on_every_page_after_a_few_visits_to_one() {
    let mut world = World::new(eager(3));
    for page in ["/", "/about", "/blog/1", "/blog/2"] {
        world.views(6, page, &["/style.css", "/app.1a2b3c.js"]);
    }
    world.pass(HOUR);
    world.views(3, "/", &["/style.css", "/app.9f8e7d.js"]);
    assert_eq!(world.learner.stats().renamed, 1);
    for page in ["/", "/about", "/blog/1", "/blog/7"] {
        assert_eq!(world.planned(page), ["/style.css", "/app.9f8e7d.js"], "{page}");
    }
}

#[test]
fn versions_in_a_query_are_followed_too() {
    let mut world = World::new(eager(1));
    world.views(4, "/", &["/app.js?v=7"]);
    world.views(1, "/", &["/app.js?v=8"]);
    assert_eq!(world.planned("/"), ["/app.js?v=8"]);
}

#[test]
fn the_old_name_still_in_use_is_not_retired() {
    let mut world = World::new(eager(3));
    world.views(4, "/", &["/app.1a2b3c.js"]);
    for network in 1..=9 {
        world.view(&View { page: "/other", assets: &["/app.9f8e7d.js"], network, delivered: &[] });
        world.view(&View { page: "/", assets: &["/app.1a2b3c.js"], network, delivered: &[] });
    }
    assert_eq!(world.learner.stats().renamed, 0);
    assert_eq!(world.planned("/"), ["/app.1a2b3c.js"]);
    assert_eq!(world.planned("/other"), ["/app.9f8e7d.js"]);
}

#[test]
fn chunks_that_share_a_stem_live_side_by_side() {
    let chunks = ["/chunk-1a2b3c.js", "/chunk-9f8e7d.js", "/chunk-55aa55.js"];
    let mut world = World::new(eager(1));
    world.views(4, "/", &chunks);
    world.views(4, "/two", &chunks[..2]);
    assert_eq!(world.learner.stats().renamed, 0);
    assert_eq!(world.planned("/"), chunks);
    assert_eq!(world.planned("/two"), chunks[..2]);
}

#[test]
fn a_rollback_is_followed_back() {
    let (old, new) = ("/app.1a2b3c.js", "/app.9f8e7d.js");
    let mut world = World::new(eager(1));
    world.views(5, "/", &[old]);
    world.views(3, "/", &[new]);
    assert_eq!(world.planned("/"), [new]);
    world.views(3, "/", &[old]);
    assert_eq!(world.planned("/"), [old]);
}

#[test]
fn a_hinted_fetch_of_the_old_name_does_not_keep_it_alive() {
    let (old, new) = ("/app.1a2b3c.js", "/app.9f8e7d.js");
    let mut world = World::new(eager(1));
    world.views(5, "/", &[old]);
    let delivered = [(old, Delivery::Hinted)];
    for network in 1..=3 {
        world.view(&View { page: "/", assets: &[old, new], network, delivered: &delivered });
    }
    assert_eq!(world.planned("/"), [new]);
}

#[test]
fn many_deploys_leave_nothing_behind() {
    let mut world = World::new(eager(1));
    for deploy in 0..300 {
        let app = format!("/app.{deploy:06}ab.js");
        world.views(2, "/", &["/style.css", &app]);
        assert_eq!(world.planned("/"), ["/style.css", app.as_str()]);
    }
    let stats = world.learner.stats();
    assert!(stats.assets <= 4, "{stats:?}");
    assert_eq!(stats.renamed, 299);
}

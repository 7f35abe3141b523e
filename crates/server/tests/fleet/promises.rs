//! What a fleet promises, without faults.

use std::time::{Duration, Instant};

use testkit::engine::Redis;

use crate::rig::{Fleet, Member, until};

/// The whole of what a fleet promises, in one run: it takes as long as evidence travels.
pub(crate) async fn what_three_networks_teach_at_three_servers_a_fourth_knows() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let members = [fleet.server("web-1"), fleet.server("web-2"), fleet.server("web-3")];
    let fourth = fleet.server("web-4");
    // It has been asked for the site, so that its plan is of the same page.
    let taught = Instant::now();
    for (network, member) in (1..).zip(&members) {
        member.visit(network, "/", &["/style.css", "/app.js"]).await;
    }
    until("the fourth hints what it was never asked for", Duration::from_secs(25), async || {
        fourth.hinted(9, "/").await == ["/style.css", "/app.js"]
    })
    .await;
    let took = taught.elapsed();
    assert!(took < Duration::from_secs(20), "it took {took:?}");

    // A client that got its assets from one server is told nothing of them by another.
    let mut client = members[0].client().await;
    for asset in ["", "/style.css", "/app.js"] {
        client.fetch(11, if asset.is_empty() { "/" } else { asset }, !asset.is_empty()).await;
    }
    let cookie = client.cookie().expect("a cookie");
    for member in members.iter().chain([&fourth]) {
        let mut client = member.client().await;
        client.set_cookie(&cookie);
        let reply = client.navigate(11, "/").await;
        assert!(reply.is_empty(), "{} takes the cookie for a stranger's: {reply:?}", member.name);
    }

    // A page that is gone at one is planned by none. Its assets are sent as long as the page answers.
    for network in 1..=4 {
        members[(network % 3) as usize].visit(network, "/sale/", &["/sale.css"]).await;
    }
    until("all hint the sale", Duration::from_secs(25), async || {
        fourth.hinted(9, "/sale/").await.contains(&"/sale.css".to_owned())
    })
    .await;
    std::fs::remove_file(fleet.path("site/sale.css")).expect("an asset");
    for network in 1..=2 {
        members[1].client().await.fetch(network, "/sale.css", true).await;
    }
    until("none hints what is gone", Duration::from_secs(25), async || {
        let mut none = true;
        for member in members.iter().chain([&fourth]) {
            none &= !member.hinted(9, "/sale/").await.contains(&"/sale.css".to_owned());
        }
        none
    })
    .await;

    // Nothing of it can be read in the engine, whose every key is looked at.
    let mut looked_at = 0;
    for key in redis.cli(&["--raw", "KEYS", "*"]).lines() {
        let dump = redis.cli(&["--no-raw", "DUMP", key]);
        let raw = match redis.cli(&["--raw", "TYPE", key]).as_str() {
            "stream" => redis.cli(&["--no-raw", "XRANGE", key, "-", "+"]),
            "hash" => redis.cli(&["--no-raw", "HGETALL", key]),
            _ => redis.cli(&["--no-raw", "GET", key]),
        };
        for secret in ["style.css", "app.js", "sale", "shop.example", "10.1.0", "10.9.0"] {
            assert!(!dump.contains(secret) && !raw.contains(secret), "{key} shows {secret}");
        }
        looked_at += 1;
    }
    assert!(looked_at >= 3, "log, epoch and nodes at least");

    let status = fleet.command(&["fleet", "status", "--config", "web-1.toml"]);
    for name in ["web-1", "web-2", "web-3", "web-4"] {
        assert!(status.contains(name), "{status}");
    }
}

/// Pages that differ from each other, each with an asset of its own.
const PAGES: usize = 12;

/// A server that joins late plans what the others plan, page by page, within 30 seconds.
pub(crate) async fn a_server_that_joins_late_plans_the_same_pages() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let pages: Vec<(String, String)> =
        (0..PAGES).map(|number| (format!("/page-{number}/"), format!("/page-{number}.css"))).collect();
    for (page, asset) in &pages {
        fleet.page(page, &[asset]);
    }
    let members = [fleet.quick("web-1"), fleet.quick("web-2"), fleet.quick("web-3")];
    for (page, asset) in &pages {
        for (network, member) in (1..).zip(&members) {
            member.visit(network, page, &["/style.css", asset]).await;
        }
    }
    let plans = async |member: &Member| {
        let mut plans = Vec::new();
        for (page, _) in &pages {
            plans.push(member.hinted(9, page).await);
        }
        plans
    };
    let mut known = Vec::new();
    until("the first three plan all pages", Duration::from_secs(30), async || {
        known = plans(&members[0]).await;
        let of_all = known.iter().zip(&pages).all(|(plan, (_, asset))| plan.contains(asset) && plan.len() == 2);
        of_all && plans(&members[1]).await == known && plans(&members[2]).await == known
    })
    .await;
    let late = fleet.server("web-4");
    until("the late one plans the same", Duration::from_secs(30), async || plans(&late).await == known).await;
}

/// A page that is gone at one server is planned by none, though it would be there at the others.
pub(crate) async fn a_page_that_answers_404_at_one_is_planned_by_none() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let members = [fleet.quick("web-1"), fleet.quick("web-2"), fleet.quick("web-3")];
    // Several pages without anything in common, so that one of which nothing is known has no plan.
    let pages: Vec<(String, String)> =
        (0..6).map(|number| (format!("/page-{number}/"), format!("/page-{number}.css"))).collect();
    for (page, asset) in &pages {
        fleet.page(page, &[asset]);
        for (network, member) in (1..).zip(&members) {
            member.visit(network, page, &[asset]).await;
        }
    }
    // How many of the servers hint a page's asset.
    let hinting = async |(page, asset): &(String, String)| {
        let mut count = 0;
        for member in &members {
            count += usize::from(member.hinted(9, page).await.contains(asset));
        }
        count
    };
    let (gone, stays) = (&pages[0], &pages[1]);
    until("all hint both pages", Duration::from_secs(25), async || {
        hinting(gone).await == 3 && hinting(stays).await == 3
    })
    .await;
    let (file, aside) = (fleet.path("site/page-0/index.html"), fleet.path("aside.html"));
    std::fs::rename(&file, &aside).expect("a page");
    // What answers in the second of a visit may have been before it.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for network in 21..=22 {
        members[0].hinted(network, &gone.0).await;
    }
    // Whoever is asked for the page meanwhile learns of it alone, so nobody is; then it is back, and known again with the
    // first answer.
    tokio::time::sleep(Duration::from_secs(10)).await;
    std::fs::rename(&aside, &file).expect("a page");
    assert_eq!(hinting(gone).await, 0, "two networks were told at one server that it is gone");
    assert_eq!(hinting(stays).await, 3, "of the other nothing was said");
}

/// One that comes late takes what the others know.
pub(crate) async fn a_server_that_comes_late_or_restarts_counts_nothing_twice() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let (first, second) = (fleet.quick("web-1"), fleet.quick("web-2"));
    for network in 1..=4 {
        first.visit(network, "/", &["/style.css"]).await;
    }
    until("the other knows it", Duration::from_secs(25), async || second.hinted(9, "/").await == ["/style.css"]).await;
    let late = fleet.server("web-3");
    until("the late one knows it", Duration::from_secs(30), async || late.hinted(9, "/").await == ["/style.css"]).await;
    let before = second.heard().await;
    assert!(before >= 4, "{before}");
    let (name, weight) = (second.name.clone(), second.state_visits("/").await);
    second.stop();
    let again = fleet.server(&name);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(again.hinted(9, "/").await, ["/style.css"]);
    assert_eq!(again.heard().await, 0, "all of it was in the snapshot");
    assert_eq!(again.count("is refused"), 0, "what it told before the restart is no stranger's");
    assert_eq!(again.state_visits("/").await, weight);
}

/// A server that is killed, and whose last save was hours ago, knows afterwards what it had told, once.
pub(crate) async fn a_server_that_is_killed_hears_what_it_had_told() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let second = fleet.quick("web-2");
    let rare = ["fleet.publish=1s", "state.interval=1h"];
    let first = fleet.server_with("web-1", &rare, &[]);
    for (network, heard) in (1..=4).zip(1..) {
        first.visit(network, "/", &["/style.css"]).await;
        until("the other hears it", Duration::from_secs(25), async || second.heard().await == heard).await;
    }
    first.program.kill();
    let again = fleet.server_with("web-1", &rare, &[]);
    until("it knows what it had told", Duration::from_secs(25), async || again.heard().await == 4).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((again.heard().await, second.heard().await), (4, 4), "nothing is doubled");
    assert_eq!(again.hinted(9, "/").await, ["/style.css"]);
    assert_eq!(again.count("is refused"), 0, "{}", again.program.printed());
}

pub(crate) async fn keys_are_made_and_rotated_and_mistakes_are_named() {
    let fleet = Fleet::new("redis://:hunter2@127.0.0.1:1");
    let said = fleet.command(&["fleet", "key", "new", "new.key"]);
    assert!(said.contains("new.key is the key of a new fleet"), "{said}");
    assert!(fleet.command(&["fleet", "key", "new", "new.key"]).contains("is there already"));
    let before = std::fs::read_to_string(fleet.path("new.key")).unwrap();
    assert!(fleet.command(&["fleet", "key", "rotate", "new.key"]).contains("a new key of cookies"));
    let after = std::fs::read_to_string(fleet.path("new.key")).unwrap();
    assert!(after.contains("previous_cookie") && before != after);
    let config = |text: &str| {
        std::fs::write(fleet.path("x.toml"), format!("[fleet]\n{text}")).unwrap();
        let said = fleet.command(&["check", "x.toml"]);
        assert!(!said.contains("hunter2"), "{said}");
        said
    };
    assert!(config("url = \"redis://h\"").contains("key_file"));
    assert!(config("key_file = \"new.key\"").contains("of no use without the `url`"));
    assert!(config("url = \"http://:hunter2@h\"\nkey_file = \"new.key\"").contains("its scheme is none of"));
    assert!(config("url = \"redis://h\"\nkey_file = \"none.key\"").contains("none.key"));
    assert!(config("url = \"redis://h\"\nkey_file = \"new.key\"\nname = \"a b\"").contains("1 to 64 letters"));
    assert!(config("url = \"redis://h\"\nkey_file = \"new.key\"").contains("nothing is wrong"));
    let said = fleet.command(&[
        "fleet",
        "status",
        "--no-config",
        "--set",
        "fleet.url=redis://:hunter2@127.0.0.1:1",
        "--set",
        "fleet.key_file=new.key",
    ]);
    assert!(said.contains("it cannot be reached") && !said.contains("hunter2"), "{said}");
}

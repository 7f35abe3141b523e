//! A change that is rolled out server by server, under load: every request is answered, and nothing weighs what it should not.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::engine::Redis;

use crate::rig::{Fleet, Member, until};
use crate::versions;

const PAGE: &str = "/sale/";

/// Visits from one network after another to any server that runs, until told to stop; how many there were.
async fn load(members: Arc<Mutex<Vec<Arc<Member>>>>, stop: Arc<AtomicBool>, visits: Arc<AtomicU64>) {
    while !stop.load(Ordering::Relaxed) {
        let number = visits.fetch_add(1, Ordering::Relaxed);
        let member = {
            let members = members.lock().expect("no panic");
            Arc::clone(&members[number as usize % members.len()])
        };
        // Who has no answer panics, and the test with it.
        member.visit(1 + number % 250, PAGE, &["/sale.css"]).await;
        drop(member);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Stops one server after another, as a balancer that sends it nothing more does, and starts it with another setting. Those
/// of before say with `refusal` why they do not learn from the new ones.
async fn roll(before: &str, after: impl FnOnce(&Fleet, &Redis) -> String, refusal: &str) {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let after = after(&fleet, &redis);
    let names = ["web-1", "web-2", "web-3"];
    let start = |name: &str, setting: &str| Arc::new(fleet.server_with(name, &["fleet.publish=1s", setting], &[]));
    let members = Arc::new(Mutex::new(names.map(|name| start(name, before)).to_vec()));
    let (stop, visits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load = tokio::spawn(load(Arc::clone(&members), Arc::clone(&stop), Arc::clone(&visits)));
    tokio::time::sleep(Duration::from_secs(8)).await;
    for name in names {
        let mut leaving = {
            let mut members = members.lock().expect("no panic");
            let at = members.iter().position(|member| member.name == name).expect("it runs");
            members.remove(at)
        };
        // What is under way is answered first.
        let leaving = loop {
            match Arc::try_unwrap(leaving) {
                Ok(member) => break member,
                Err(busy) => leaving = busy,
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let rolled = names.iter().position(|other| *other == name).unwrap_or_default();
        if rolled > 0 {
            // New servers may have nothing to tell at first.
            until("it says that it refuses what the new ones tell", Duration::from_secs(40), async || {
                leaving.count(refusal) > 0
            })
            .await;
        }
        let refusals = leaving.count(refusal);
        assert!(refusals <= rolled, "one line for each server that is refused: {refusals} after {rolled}");
        leaving.stop();
        let started = start(name, &after);
        members.lock().expect("no panic").push(started);
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    stop.store(true, Ordering::Relaxed);
    load.await.expect("every request is answered");
    let members = std::mem::take(&mut *members.lock().expect("no panic"));
    // A network has one vote in ten minutes, over the whole fleet; a server that restarts has forgotten who has voted.
    let most = visits.load(Ordering::Relaxed);
    for member in &members {
        let weight = member.weight(PAGE).await;
        assert!(weight <= most as f64 * 1.01, "{} has {weight} of {most}", member.name);
        assert!(weight >= 3.0, "{} has learned {weight}", member.name);
        until("it plans", Duration::from_secs(20), async || {
            member.hinted(251, PAGE).await.contains(&"/sale.css".to_owned())
        })
        .await;
    }
}

pub(crate) async fn another_half_life() {
    roll("learn.half_life=24h", |_, _| "learn.half_life=12h".into(), "another half-life").await;
}

pub(crate) async fn another_key_of_evidence() {
    let other = |fleet: &Fleet, _: &Redis| {
        fleet.command(&["fleet", "key", "new", "other.key"]);
        "fleet.key_file=other.key".to_owned()
    };
    roll("fleet.key_file=fleet.key", other, "another key of evidence").await;
}

pub(crate) async fn another_version() {
    let other =
        |_: &Fleet, redis: &Redis| format!("fleet.url=redis://127.0.0.1:{}", versions::of_another_version(redis.port));
    roll("fleet.publish=1s", other, "of format 2").await;
}

/// The same evidence, and cookies under a key that was rotated: a client that holds a page is told nothing of it.
pub(crate) async fn a_rotated_key_of_cookies() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let (first, second) = (fleet.quick("web-1"), fleet.quick("web-2"));
    for network in 1..=4 {
        first.visit(network, "/", &["/style.css"]).await;
    }
    until("both plan it", Duration::from_secs(30), async || {
        first.hinted(9, "/").await == ["/style.css"] && second.hinted(9, "/").await == ["/style.css"]
    })
    .await;
    let mut client = first.client().await;
    client.fetch(11, "/", false).await;
    client.fetch(11, "/style.css", true).await;
    let cookie = client.cookie().expect("a cookie");
    fleet.command(&["fleet", "key", "rotate", "fleet.key"]);
    second.stop();
    let second = fleet.quick("web-2");
    // One under each key, and either reads the other's.
    for member in [&first, &second] {
        let mut client = member.client().await;
        client.set_cookie(&cookie);
        assert_eq!(client.navigate(11, "/").await, [""; 0], "{} reads the old cookie", member.name);
    }
    assert_eq!(second.hinted(12, "/").await, ["/style.css"], "nothing was forgotten");
}

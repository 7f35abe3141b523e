//! Servers that are no part of a fleet although they meet at the same place.

use std::time::Duration;

use testkit::engine::Redis;

use crate::rig::{Fleet, until};

pub(crate) async fn another_key_and_another_half_life() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let first = fleet.quick("web-1");
    fleet.command(&["fleet", "key", "new", "other.key"]);
    let other_key = fleet.server_with("web-3", &["fleet.publish=1s", "fleet.key_file=other.key"], &[]);
    let other_half_life = fleet.server_with("web-4", &["fleet.publish=1s", "learn.half_life=12h"], &[]);
    for stranger in [&other_key, &other_half_life] {
        stranger.visit(1, "/", &["/style.css"]).await;
    }
    until("both are refused", Duration::from_secs(25), async || {
        first.count("another key of evidence") == 1 && first.count("another half-life") == 1
    })
    .await;
    assert_eq!(first.heard().await, 0);
    let status = fleet.command(&["fleet", "status", "--config", "web-1.toml"]);
    assert!(status.contains("web-3 has another key of evidence"), "{status}");
    assert!(status.contains("web-4 has a half-life of 12 hours"), "{status}");
}

/// Of two servers of one name nothing is lost, and both say so.
pub(crate) async fn two_servers_of_one_name() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let third = fleet.quick("web-3");
    let one = fleet.server_with("web-1", &["fleet.publish=1s", "state.file=one.state"], &[]);
    let other = fleet.server_with("web-1", &["fleet.publish=1s", "state.file=other.state"], &[]);
    let doubled = "has the name of this one";
    until("both say so", Duration::from_secs(60), async || one.count(doubled) == 1 && other.count(doubled) == 1).await;
    one.visit(1, "/", &["/style.css"]).await;
    other.visit(2, "/", &["/style.css"]).await;
    until("both are heard", Duration::from_secs(25), async || third.heard().await == 2).await;
    other.stop();
    let over = "no other server has the name";
    until("it is over", Duration::from_secs(90), async || one.count(over) == 1).await;
    assert_eq!(third.heard().await, 2);
}

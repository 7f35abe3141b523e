//! Engines of several processes that lose one.

use std::time::Duration;

use testkit::engine::Redis;

use crate::rig::{Fleet, until};

/// Teaches before a server of the engine is lost and after; all of it is heard once in the end.
async fn loses(url: &str, mut lost: Redis) {
    let fleet = Fleet::new(url);
    let (first, second) = (fleet.quick("web-1"), fleet.quick("web-2"));
    first.visit(1, "/", &["/style.css"]).await;
    until("the first visit is heard", Duration::from_secs(25), async || second.heard().await == 1).await;
    let before = first.slowest(300).await;
    lost.kill();
    let during = first.slowest(300).await;
    for network in 2..=4 {
        first.visit(network, "/", &["/style.css"]).await;
    }
    until("all is heard", Duration::from_secs(120), async || second.heard().await >= 4).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(second.heard().await, 4, "nothing is doubled");
    let usual = before.max(first.slowest(300).await);
    assert!(during < 3 * usual + Duration::from_millis(20), "{usual:?} became {during:?}");
    let late = fleet.quick("web-3");
    until("who comes late knows it", Duration::from_secs(90), async || late.hinted(9, "/").await == ["/style.css"])
        .await;
}

pub(crate) async fn a_replica_takes_over_that_a_sentinel_chooses() {
    let master = Redis::start(&[]);
    let _replica = Redis::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    let sentinel = Redis::sentinel(&master, "main");
    // A sentinel learns of the replicas from the master, every ten seconds.
    until("the sentinel knows the replica", Duration::from_secs(30), async || {
        sentinel.cli(&["SENTINEL", "REPLICAS", "main"]).contains("127.0.0.1")
    })
    .await;
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port);
    loses(&url, master).await;
}

pub(crate) async fn a_cluster_of_six_loses_the_master_that_holds_the_fleet() {
    let mut nodes = Redis::cluster();
    let hosts: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
    let slot: u32 = nodes[0].cli(&["CLUSTER", "KEYSLOT", "{headstart:default}:log"]).parse().expect("a slot");
    // The first three are the masters.
    let holds = |node: &Redis| {
        let line = node.cli(&["CLUSTER", "NODES"]);
        let own = line.lines().find(|line| line.contains("myself")).expect("itself").to_owned();
        own.contains("master")
            && own
                .split(' ')
                .skip(8)
                .filter_map(|range| range.split_once('-'))
                .any(|(from, to)| (from.parse().unwrap_or(u32::MAX)..=to.parse().unwrap_or(0)).contains(&slot))
    };
    let at = nodes.iter().position(holds).expect("a master of the slot");
    let lost = nodes.remove(at);
    loses(&format!("redis://{}", hosts.join(",")), lost).await;
}

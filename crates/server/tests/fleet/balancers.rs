//! A balancer that balances by request: a page's assets reach other servers than the page.

use std::time::Duration;

use testkit::engine::Redis;

use crate::rig::{Fleet, until};

pub(crate) async fn assets_without_their_page_are_counted() {
    let redis = Redis::start(&[]);
    let fleet = Fleet::new(&redis.url());
    let (first, second) = (fleet.quick("web-1"), fleet.quick("web-2"));
    for network in 1..=4 {
        first.visit(network, "/sale/", &["/sale.css"]).await;
    }
    let told = "keep a client's requests together";
    let mut network = 10;
    until("the second says so", Duration::from_secs(90), async || {
        for _ in 0..5 {
            network += 1;
            first.client().await.navigate(network % 250, "/sale/").await;
            let mut elsewhere = second.client().await;
            elsewhere.fetch_from(network % 250, "/sale.css", "/sale/").await;
        }
        second.count(told) == 1
    })
    .await;
    assert_eq!(first.count(told), 0, "nothing came to the first without its page");
    assert!(second.counter("headstart_fleet_assets_total{page=\"elsewhere\"}").await >= 100);
    assert_eq!(second.counter("headstart_fleet_assets_total{page=\"here\"}").await, 0);
    let mut status = String::new();
    until("the others read it", Duration::from_secs(30), async || {
        status = fleet.command(&["fleet", "status", "--config", "web-1.toml"]);
        status.contains("web-2: 100 % of assets come without their page")
    })
    .await;
    until("it is over", Duration::from_secs(90), async || {
        for _ in 0..8 {
            network += 1;
            second.visit(network % 250, "/sale/", &["/sale.css"]).await;
        }
        second.count("come to the server of their page again") == 1
    })
    .await;
}

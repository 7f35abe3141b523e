//! The learner on sites made for it: `cargo bench -p headstart-benches --bench sites`.
//!
//! A site has 200 pages of Zipf popularity in ten sections; assets are shared by all,
//! by a section, or a page's own. Every eight hours a deploy renames what carries a
//! fingerprint. 30 % of the visitors are bots that load nothing, 20 % block advertising,
//! 40 % come back with what they loaded before. Each view is predicted before it is learned,
//! by networks of their own but for the attackers, who make full views with junk in them.
//!
//! What is measured are first views after the first day. The site is made, not found: that
//! it is predicted well says that the rules hold together, not how well they do elsewhere.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use headstart::Headstart;
use headstart_learn::{
    Asset, CacheState, ClientClass, ClientId, Config, ConnectionId, Delivery, Destination, Fetch, Fetched, Freshness,
    Learner, Navigation, NetworkId, Page, Referrer, ReferrerPolicy, Site, Time,
};
use serde_json::{Value, json};

fn main() {
    println!("| | views | precision | recall | F1 | junk planned | target |\n|---|---:|---:|---:|---:|---:|---|");
    let mut rows = vec![run("no attack", &[], Some(0.95))];
    for (name, attackers, least) in attackers() {
        rows.push(run(&format!("half of all views from {name}"), &attackers, least));
    }
    println!(
        "\n| invented hosts shown to | honest networks until an honest host has a place | target |\n|---|---:|---|"
    );
    for (networks, target) in [(1, Some(3)), (2, Some(3)), (3, None), (7, None), (8, None)] {
        rows.push(place(networks, target));
    }
    headstart_benches::rows::write(&serde_json::to_string_pretty(&rows).expect("rows are JSON"));
    assert!(rows.iter().all(|row| row["pass"] != false), "a site is predicted worse than it was");
}

/// Attackers with addresses of one kind and another. What the gate is to keep out has a target; what it cannot tell from
/// visitors is shown and not judged.
fn attackers() -> Vec<(&'static str, Vec<IpAddr>, Option<f64>)> {
    let apart = |count: u32| (0..count).map(|n| v4(n << 16 | 0x100)).collect();
    let sites = |count: u16| (0..count).map(|n| v6(n + 1, 0, 0)).collect();
    vec![
        ("one IPv4 /24", apart(1), Some(0.93)),
        ("256 /24s of one IPv4 /16", (0..256).map(|n| v4(n << 8)).collect(), Some(0.93)),
        ("256 /56s of one IPv6 /48", (0..256).map(|n| v6(1, 0, n << 8)).collect(), Some(0.93)),
        ("/24s of 2 IPv4 /16s", apart(2), Some(0.93)),
        ("/24s of 3 IPv4 /16s", apart(3), None),
        ("/24s of 30 IPv4 /16s", apart(30), None),
        ("/24s of 300 IPv4 /16s", apart(300), None),
        ("4,096 /48s of one IPv6 /32", (0..4096).map(|n| v6(1, n, 0)).collect(), None),
        ("/48s of 2 IPv6 /32s", sites(2), Some(0.93)),
        ("/48s of 30 IPv6 /32s", sites(30), None),
    ]
}

fn v4(bits: u32) -> IpAddr {
    Ipv4Addr::from(10 << 24 | bits).into()
}

/// An address of a provider's /32, a customer's /48 in it and a /64 in that.
fn v6(provider: u16, customer: u16, network: u16) -> IpAddr {
    Ipv6Addr::new(0x2a00, provider, customer, network, 0, 0, 0, 1).into()
}

/// How many networks have to be shown pages of an honest host before it has a place in a table that is full of hosts
/// which `networks` networks invented.
fn place(networks: u64, target: Option<u64>) -> Value {
    let learner = Learner::new(Config::default());
    let now = Time::from_millis(START);
    for host in 0..256 {
        for network in 0..networks {
            learner.shown(now, &format!("{host}.invented.example"), NetworkId::new(1 << 40 | network));
        }
    }
    let shown = |network: &u64| {
        // The attack goes on between two honest views.
        for host in 0..100 {
            learner.shown(now, &format!("{network}.{host}.more.example"), NetworkId::new(1 << 40));
        }
        learner.shown(now, "honest.example", NetworkId::new(*network)).site.is_some()
    };
    let needed = (1..=64).find(shown);
    let pass = target.map(|most| needed.is_some_and(|needed| needed <= most));
    let target = target.map(|most| format!("<= {most}"));
    let text = needed.map_or("none in 64".to_owned(), |needed| needed.to_string());
    println!("| {networks} networks | {text} | {} |", target.as_deref().unwrap_or_default());
    json!({
        "area": "sites", "name": format!("a place beside hosts that {networks} networks invented"), "unit": "networks",
        "ours": needed, "peer_name": null, "peer": null, "ratio": null, "target": target, "pass": pass,
    })
}

const PAGES: u64 = 200;
const VIEWS: u64 = 20_000;
const DAYS: u64 = 10;
const DEPLOY_MILLIS: u64 = 8 * 3_600_000;
const START: u64 = 1_700_000_000_000;

/// The counts of a run.
#[derive(Default)]
struct Score {
    views: u64,
    right: u64,
    wasted: u64,
    missed: u64,
    /// Planned assets that only attackers ever asked for, over all honest views.
    junk: u64,
}

impl Score {
    fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (2 * self.right + self.wasted + self.missed) as f64
    }
}

/// `least` is the F1 that is asked for, and then nothing may be planned that only attackers asked for.
fn run(name: &str, attackers: &[IpAddr], least: Option<f64>) -> Value {
    let headstart = Headstart::builder().secret([7; 32]).build().expect("the settings are in range");
    let attackers: Vec<u64> = attackers.iter().map(|address| headstart.network(*address).get()).collect();
    let learner = Learner::new(Config::default());
    let site = learner.site("example.org").expect("there is room");
    let mut world =
        World { learner, site, random: Random(7), caches: HashMap::new(), score: Score::default(), next: 0 };
    for view in 0..VIEWS {
        let now = START + view * DAYS * 86_400_000 / VIEWS;
        world.honest(now);
        if !attackers.is_empty() {
            world.attack(now, attackers[view as usize % attackers.len()]);
        }
    }
    let score = world.score;
    let share = |of: u64| score.right as f64 / (score.right + of) as f64;
    let pass = least.map(|least| score.f1() >= least && score.junk == 0);
    let target = least.map(|least| format!(">= {least}, no junk"));
    let verdict =
        pass.zip(target.as_ref()).map(|(pass, target)| format!("{target} {}", if pass { "met" } else { "missed" }));
    println!(
        "| {name} | {} | {:.3} | {:.3} | {:.3} | {} | {} |",
        score.views,
        share(score.wasted),
        share(score.missed),
        score.f1(),
        score.junk,
        verdict.unwrap_or_default()
    );
    json!({
        "area": "sites", "name": format!("F1, {name}"), "unit": "", "ours": (score.f1() * 1000.0).round() / 1000.0,
        "peer_name": null, "peer": null, "ratio": null, "target": target, "pass": pass,
    })
}

struct World {
    learner: Learner,
    site: Site,
    random: Random,
    /// The assets that returning clients hold.
    caches: HashMap<u64, HashSet<String>>,
    score: Score,
    next: u64,
}

impl World {
    fn honest(&mut self, now: u64) {
        let page = self.random.zipf(PAGES);
        let path = page_path(page);
        self.next += 1;
        let (bot, blocks, returns) =
            (self.random.chance(30), self.random.chance(20), self.next > 500 && self.random.chance(40));
        // A returning client is one of those that came before; all others are new.
        let client = if returns { self.random.below(self.next) } else { self.next };
        let network = client;
        let mut needed = assets(page, now / DEPLOY_MILLIS);
        if blocks {
            needed.retain(|asset| !asset.contains("/ads"));
        }
        let plan = self.learner.plan(Time::from_millis(now), self.site, Page::from(&*path), ClientClass::Other);
        let planned: HashSet<String> = plan.iter().map(|candidate| candidate.path.to_string()).collect();
        let held = self.caches.entry(client).or_default();
        self.score.junk += planned.iter().filter(|path| path.starts_with("/junk")).count() as u64;
        if !bot && held.is_empty() && now > START + 86_400_000 {
            let right = needed.iter().filter(|asset| planned.contains(*asset)).count() as u64;
            self.score.views += 1;
            self.score.right += right;
            self.score.missed += needed.len() as u64 - right;
            self.score.wasted += planned.len() as u64 - right;
        }
        let delivered: Vec<String> = planned.into_iter().filter(|path| held.contains(path)).collect();
        needed.retain(|asset| !bot && held.insert(asset.clone()));
        self.visit(now, &path, client, network, &needed, &delivered);
    }

    /// A full view of a page, with junk beside what it needs.
    fn attack(&mut self, now: u64, network: u64) {
        let page = self.random.zipf(PAGES);
        let mut fetched = assets(page, now / DEPLOY_MILLIS);
        fetched.extend((0..5).map(|n| format!("/junk{n}.png")));
        self.next += 1;
        self.visit(now, &page_path(page), self.next, network, &fetched, &[]);
    }

    fn visit(&self, now: u64, page: &str, client: u64, network: u64, fetched: &[String], held: &[String]) {
        let time = Time::from_millis(now);
        let (client, connection) = (ClientId::new(client), Some(ConnectionId::new(now << 20 | client & 0xf_ffff)));
        let navigation = Navigation {
            site: self.site,
            page: Page::from(page),
            client,
            network: NetworkId::new(network),
            connection,
            class: ClientClass::Other,
            cache: CacheState::Told,
        };
        let visit = self.learner.navigate(time, &navigation);
        self.learner.confirm(time, visit, ReferrerPolicy::Unknown);
        for path in held {
            self.learner.delivered(visit, path, Delivery::Held);
        }
        for path in fetched {
            let asset = Asset {
                path,
                destination: Destination::Image,
                cors: false,
                bytes: 1_000,
                validator: 1,
                freshness: Freshness::Fresh,
                personal: false,
            };
            let fetch = Fetch {
                site: self.site,
                fetched: Fetched::Full(asset),
                referrer: Referrer::Absent,
                client,
                connection,
                asked: time,
                urgency: None,
            };
            self.learner.fetched(time, &fetch);
        }
    }
}

/// `/section3/page17`: the section is the page's number modulo ten.
fn page_path(page: u64) -> String {
    format!("/section{}/page{page}", page % 10)
}

/// The assets that a page needs while a deploy is live.
fn assets(page: u64, deploy: u64) -> Vec<String> {
    let fingerprint = |of: u64| format!("{:06x}7b", (deploy * 7_919 + of * 104_729) % 0xff_ffff);
    let mut assets = vec![
        format!("/style.{}.css", fingerprint(1)),
        format!("/app.{}.js", fingerprint(2)),
        "/font.woff2".to_owned(),
        "/logo.svg".to_owned(),
        "/ads.js".to_owned(),
    ];
    let section = page % 10;
    assets.push(format!("/section{section}.{}.css", fingerprint(10 + section)));
    assets.push(format!("/banner{section}.png"));
    assets.extend((0..page * 31 % 7).map(|n| format!("/photo-of-{page}-{n}.png")));
    assets
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// 0 is the most popular; the chance of n is in proportion to 1/(n + 1).
    fn zipf(&mut self, end: u64) -> u64 {
        let unit = self.next() as f64 / u64::MAX as f64;
        ((unit * (end as f64 + 1.0).ln()).exp() as u64).clamp(1, end) - 1
    }
}

//! The learner beside the rule it replaces: `cargo bench -p headstart-benches --bench learn -- [--quick] [--flood]`.
//!
//! One binary, the contenders taking turns within each round; what is printed is the best of
//! the rounds, in nanoseconds an operation: with two threads, the time in which the two
//! together do one. Every answer is checked.
//! `seed` is our own code for the rule of the Go program `pusher`: a map of weights that
//! are decayed when they are read. With `--flood`, ten million distinct pages and assets
//! are thrown at a budget of 64 MiB. The cost by the number of pages, and by that of connections, is
//! drawn too, in `learn-cost.svg` and `learn-connections.svg` beside the rows of the report.

mod cost;
use headstart_benches::plot;
mod pusher;
mod table;

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use headstart_learn::{
    Asset, CacheState, ClientClass, ClientId, Config, ConfigBuilder, ConnectionId, Destination, Fetch, Fetched,
    Freshness, Learner, Navigation, NetworkId, Page, Referrer, ReferrerPolicy, Site, Time,
};

use pusher::seed_taught;
use table::Table;

fn main() {
    let flags: Vec<String> = std::env::args().collect();
    let quick = flags.iter().any(|flag| flag == "--quick");
    let rounds = if quick { 3 } else { 9 };
    let mut table = Table::new();
    for (n, visit) in [(10, 60), (100, 120), (1_000, 600)] {
        plans(&mut table, n, visit, rounds);
    }
    for threads in [1, 2] {
        records(&mut table, threads, rounds);
    }
    commits(&mut table, rounds);
    cost::by_pages(&mut table, rounds, cost::decades(quick));
    cost::by_connections(&mut table, rounds);
    memory_when_tight(&mut table);
    memory_when_growing(&mut table);
    table.note("The seed's own figures, as it published them for 10, 100 and 1,000 assets: 800, 6,000 and 62,000 ns.");
    table.finish();
    if flags.iter().any(|flag| flag == "--flood") {
        flood(10_000_000);
    }
}

/// Taking a plan, and walking over it, with one and two threads; and nine plans for each recorded edge.
fn plans(table: &mut Table, n: usize, visit_target: u64, rounds: usize) {
    let (learner, site) = taught(n);
    let seed = seed_taught(n);
    let now = Time::from_millis(BASE + 60_000);
    assert_eq!(learner.plan(now, site, Page::from("/page"), ClientClass::Other).len(), n);
    assert_eq!(seed.plan("/page", 0.0).len(), n);
    let names: Vec<String> = (0..n).map(asset_name).collect();
    let calls = (200_000 / n).max(2_000);
    for threads in [1, 2] {
        let take = best(rounds, || {
            timed(threads, calls * 10, || {
                black_box(learner.plan(now, site, Page::from(black_box("/page")), ClientClass::Other));
            })
        });
        let walk = best(rounds, || {
            timed(threads, calls, || {
                let plan = learner.plan(now, site, Page::from(black_box("/page")), ClientClass::Other);
                black_box(plan.iter().map(|candidate| candidate.path.len()).sum::<usize>());
            })
        });
        let seed_walk = best(rounds, || {
            timed(threads, calls, || {
                let plan = seed.plan(black_box("/page"), 0.0);
                black_box(plan.iter().map(|path| path.len()).sum::<usize>());
            })
        });
        table.row(&format!("take a plan of {n}, {threads} thread(s)"), take, None, Some(50));
        table.row(&format!("plan {n} and visit each, {threads} thread(s)"), walk, Some(seed_walk), Some(visit_target));
        let mix = best(rounds, || {
            mixed(threads, calls, |at| {
                if at % 10 == 0 {
                    record(&learner, site, at, "/page");
                } else {
                    let plan = learner.plan(now, site, Page::from(black_box("/page")), ClientClass::Other);
                    black_box(plan.iter().map(|candidate| candidate.path.len()).sum::<usize>());
                }
            })
        });
        let seed_mix = best(rounds, || {
            mixed(threads, calls, |at| {
                if at % 10 == 0 {
                    seed.record("/page", &names[at / 10 % n], 0.0);
                } else {
                    black_box(seed.plan(black_box("/page"), 0.0).iter().map(|path| path.len()).sum::<usize>());
                }
            })
        });
        table.row(&format!("90 plans of {n}, 10 records, {threads} thread(s)"), mix, Some(seed_mix), None);
    }
}

/// One asset request, attributed to its visit.
fn records(table: &mut Table, threads: usize, rounds: usize) {
    let (learner, site) = taught(10);
    let seed = seed_taught(10);
    for thread in 0..threads {
        for n in 0..8 {
            open(&learner, site, "/page", (thread * 8 + n) as u64);
        }
    }
    let names: Vec<String> = (0..10).map(asset_name).collect();
    let ours = best(rounds, || {
        mixed(threads, 200_000, |at| {
            let who = at as u64 % 8;
            let now = Time::from_millis(BASE + 60_000);
            learner.fetched(now, &fetch(site, &names[at % 10], who, Referrer::Path("/page")));
        })
    });
    let theirs = best(rounds, || mixed(threads, 200_000, |at| seed.record("/page", &names[at % 10], 0.0)));
    table.row(&format!("record one edge, {threads} thread(s)"), ours, Some(theirs), Some(250));
}

/// Learning a visit that has closed.
fn commits(table: &mut Table, rounds: usize) {
    let (learner, site) = taught(10);
    let names: Vec<String> = (0..10).map(asset_name).collect();
    let mut client = 1_000u64;
    let mut now = BASE + 100_000;
    let took = best(rounds, || {
        for _ in 0..1_000 {
            client += 1;
            now += 1;
            let visit = learner.navigate(Time::from_millis(now), &navigation(site, "/page", client));
            learner.confirm(Time::from_millis(now), visit, ReferrerPolicy::Unknown);
            for name in &names {
                learner.fetched(Time::from_millis(now), &fetch(site, name, client, Referrer::Absent));
            }
        }
        let start = Instant::now();
        learner.finish(Time::from_millis(now));
        start.elapsed() / 1_000
    });
    table.row("commit a visit of 10 assets", took, None, Some(300));
}

/// Bytes an edge when a million edges are held.
fn memory_when_tight(table: &mut Table) {
    let (learner, site) = roomy();
    let empty = learner.stats().bytes;
    for page in 0..16_000u64 {
        visit_page(&learner, site, &format!("/page{page}"), page, BASE + page, 60);
        learner.finish(Time::from_millis(BASE + page));
    }
    let name = "memory of a page of 60 assets, with all that it takes, an edge";
    table.quantity(name, bytes_an_edge(&learner, empty), "bytes", Some(40.0));
}

/// Bytes an edge while pages grow together, each by one asset at a time, at the worst moment.
fn memory_when_growing(table: &mut Table) {
    const PAGES: u64 = 4_000;
    let (learner, site) = roomy();
    let empty = learner.stats().bytes;
    let names: Vec<String> = (0..PAGES).map(|page| format!("/page{page}")).collect();
    let (mut worst, mut worst_of_small) = (0f64, 0f64);
    for assets in 1..=120usize {
        let now = Time::from_millis(BASE + assets as u64);
        for (client, page) in names.iter().enumerate() {
            let visit = learner.navigate(now, &navigation(site, page, client as u64));
            learner.confirm(now, visit, ReferrerPolicy::Unknown);
            learner.fetched(now, &fetch(site, &asset_name(assets), client as u64, Referrer::Absent));
        }
        learner.finish(now);
        let worst = if assets < 10 { &mut worst_of_small } else { &mut worst };
        *worst = worst.max(bytes_an_edge(&learner, empty));
    }
    let name = "memory of pages that grow from 10 to 120 assets, with all that they take, an edge, at worst";
    table.quantity(name, worst, "bytes", Some(48.0));
    let name = "the same from 1 to 9 assets, where it is the page that weighs";
    table.quantity(name, worst_of_small, "bytes", None);
}

/// A learner that need not evict anything here.
fn roomy() -> (Learner, Site) {
    let config = config().memory_bytes(1 << 30).max_pages(1 << 20).build().expect("the settings are in range");
    let learner = Learner::new(config);
    let site = learner.site("example.org").expect("there is room");
    (learner, site)
}

fn bytes_an_edge(learner: &Learner, empty: usize) -> f64 {
    let stats = learner.stats();
    (stats.bytes - empty) as f64 / stats.edges as f64
}

/// Distinct pages and assets without end beside a site in use.
fn flood(names: u64) {
    let start = Instant::now();
    let counted = allocation_counter::measure(|| {
        let config = Config::builder().vote_interval(Duration::ZERO).build().expect("the settings are in range");
        let learner = Learner::new(config);
        let site = learner.site("example.org").expect("there is room");
        let hot: Vec<String> = (0..1_000).map(|n| format!("/hot/{n}")).collect();
        let mut client = 0u64;
        let mut visit = |page: &str, now: u64, assets: &[&str]| {
            client += 1;
            let now = Time::from_millis(now);
            let handle = learner.navigate(now, &navigation(site, page, client));
            learner.confirm(now, handle, ReferrerPolicy::Unknown);
            for path in assets {
                learner.fetched(now, &fetch(site, path, client, Referrer::Absent));
            }
        };
        for n in 0..names {
            let now = BASE + n;
            if n % (names / 20) == 0 {
                for page in &hot {
                    for _ in 0..3 {
                        visit(page, now, &["/style.css", "/app.js", "/logo.png"]);
                    }
                }
            }
            visit(&format!("/flood/{n}"), now, &[&format!("/flood-{n}.png")]);
        }
        let now = Time::from_millis(BASE + names);
        learner.finish(now);
        let kept = hot
            .iter()
            .filter(|page| learner.plan(now, site, Page::from(page.as_str()), ClientClass::Other).len() == 3)
            .count();
        println!("flood: {} of {} hot pages still planned; {:?}", kept, hot.len(), learner.stats());
        assert!(kept >= 950);
    });
    println!(
        "flood: {names} pages and assets in {:.1?}, heap at most {:.1} MiB",
        start.elapsed(),
        counted.bytes_max as f64 / f64::from(1 << 20)
    );
    assert!(counted.bytes_max <= 72 << 20);
}

const BASE: u64 = 1_700_000_000_000;

fn config() -> ConfigBuilder {
    Config::builder().min_networks(1).vote_interval(Duration::ZERO).max_assets_per_page(1_024).publish(1_024)
}

/// A learner that has seen visits of one page with `n` assets.
fn taught(n: usize) -> (Learner, Site) {
    let learner = Learner::new(config().build().expect("the settings are in range"));
    let site = learner.site("example.org").expect("there is room");
    for visit in 1..=4 {
        visit_page(&learner, site, "/page", visit, BASE + visit, n);
    }
    learner.finish(Time::from_millis(BASE + 10));
    (learner, site)
}

fn visit_page(learner: &Learner, site: Site, page: &str, client: u64, now: u64, assets: usize) {
    let now = Time::from_millis(now);
    let visit = learner.navigate(now, &navigation(site, page, client));
    learner.confirm(now, visit, ReferrerPolicy::Unknown);
    for at in 0..assets {
        learner.fetched(now, &fetch(site, &asset_name(at), client, Referrer::Absent));
    }
}

fn open(learner: &Learner, site: Site, page: &str, client: u64) {
    let now = Time::from_millis(BASE + 60_000);
    let visit = learner.navigate(now, &navigation(site, page, client));
    learner.confirm(now, visit, ReferrerPolicy::Unknown);
}

fn record(learner: &Learner, site: Site, at: usize, page: &str) {
    let now = Time::from_millis(BASE + 60_000);
    learner.fetched(now, &fetch(site, "/assets/asset-1.js", at as u64 % 8, Referrer::Path(page)));
}

fn navigation(site: Site, page: &str, client: u64) -> Navigation<'_> {
    Navigation {
        site,
        page: Page::from(page),
        client: ClientId::new(client),
        network: NetworkId::new(client),
        connection: Some(ConnectionId::new(client)),
        class: ClientClass::Other,
        cache: CacheState::Told,
    }
}

fn fetch<'a>(site: Site, path: &'a str, client: u64, referrer: Referrer<'a>) -> Fetch<'a> {
    let asset = Asset {
        path,
        destination: Destination::Script,
        cors: false,
        bytes: 1_000,
        validator: 1,
        freshness: Freshness::Fresh,
        personal: false,
    };
    Fetch {
        site,
        fetched: Fetched::Full(asset),
        referrer,
        client: ClientId::new(client),
        connection: Some(ConnectionId::new(client)),
        asked: Time::from_millis(BASE + 60_000),
        urgency: None,
    }
}

fn asset_name(n: usize) -> String {
    format!("/assets/asset-{n}.js")
}

/// The best of the rounds.
fn best(rounds: usize, mut round: impl FnMut() -> Duration) -> Duration {
    (0..rounds).map(|_| round()).min().unwrap_or_default()
}

/// Time of one of `calls` calls on each of so many threads at once.
fn timed(threads: usize, calls: usize, call: impl Fn() + Sync) -> Duration {
    mixed(threads, calls, |_| call())
}

/// As `timed`, with the number of the call. The starting of threads is not in it.
fn mixed(threads: usize, calls: usize, call: impl Fn(usize) + Sync) -> Duration {
    let (call, ready) = (&call, &Barrier::new(threads));
    let longest = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    ready.wait();
                    let start = Instant::now();
                    (0..calls).for_each(call);
                    start.elapsed()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).max()
    });
    longest.unwrap_or_default() / (calls * threads) as u32
}

//! Members of a fleet in simulated time: the real code, its tasks and pauses included, over an exchange in memory. Time goes
//! on when all of them wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headstart_benches::peers;
use headstart_fleet::{Fleet, Keys, Member, Memory};
use headstart_learn::{
    Asset, CacheState, ClientClass, ClientId, Config, ConnectionId, Destination, Fetch, Fetched, Freshness, Learner,
    Navigation, NetworkId, Page, Referrer, ReferrerPolicy, Time,
};
use tokio::time::Instant;

use super::Measured;
use super::site::{PAGES, Random, VIEWS, own, page};

const START: u64 = 1_700_000_000_000;
/// Seconds before anything is measured, and for which it is.
const WARM: u64 = 30;
const MEASURED: u64 = 30;
/// New pages, and how long they may take to be planned everywhere.
const NEW: usize = 5;
const PATIENCE: u64 = 180;

#[derive(Debug)]
struct Server {
    learner: Learner,
    next: AtomicU64,
}

impl AsRef<Learner> for Server {
    fn as_ref(&self) -> &Learner {
        &self.learner
    }
}

impl Server {
    fn new(keys: &Keys) -> Arc<Self> {
        let config = Config::builder().min_networks(3).key(keys.evidence()).memory_bytes(8 << 20).build();
        Arc::new(Server { learner: Learner::new(config.expect("in range")), next: AtomicU64::new(1) })
    }

    fn view(&self, now: Time, page: &str, assets: &[String], network: u64) {
        let Some(site) = self.learner.site("shop.example") else { return };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (client, connection) = (ClientId::new(number), Some(ConnectionId::new(number)));
        let visit = self.learner.navigate(
            now,
            &Navigation {
                site,
                page: Page::from(page),
                client,
                connection,
                network: NetworkId::new(network),
                class: ClientClass::Other,
                cache: CacheState::Told,
            },
        );
        self.learner.confirm(now, visit, ReferrerPolicy::Unknown);
        for path in assets {
            let asset = Asset {
                path,
                destination: Destination::Style,
                cors: false,
                bytes: 1000,
                validator: 1,
                freshness: Freshness::Fresh,
                personal: false,
            };
            let referrer = Referrer::Path(page);
            let fetched = Fetched::Full(asset);
            self.learner
                .fetched(now, &Fetch { site, fetched, referrer, client, connection, asked: now, urgency: None });
        }
        self.learner.finish(now);
    }

    /// Whether it plans an asset that only this page has.
    fn plans(&self, now: Time, number: usize) -> bool {
        let Some(site) = self.learner.known_site("shop.example") else { return false };
        let (path, own) = (page(number).0, own(number));
        let plan = self.learner.plan(now, site, Page::from(&*path), ClientClass::Other);
        plan.iter().any(|candidate| candidate.path.starts_with(&own))
    }
}

/// A fleet of so many; `exchange` is `None` for servers that are alone.
struct Simulation {
    servers: Vec<Arc<Server>>,
    members: Vec<Member>,
    random: Random,
    views: u64,
    began: Instant,
}

impl Simulation {
    fn new(count: usize, exchange: Option<&Memory>) -> Self {
        let keys = Keys::parse("evidence = AAAAAAAAAAAAAAAAAAAAAA\ncookie = AAAAAAAAAAAAAAAAAAAAAQ").expect("two keys");
        let servers: Vec<_> = (0..count).map(|_| Server::new(&keys)).collect();
        let began = Instant::now();
        let join = |exchange: &Memory| -> Vec<Member> {
            let each = servers.iter().enumerate().map(|(at, server)| {
                let fleet = Fleet::new(exchange.clone(), keys.clone(), format!("web-{at}")).expect("a name");
                fleet.join(Arc::clone(server), move || time(began))
            });
            each.collect()
        };
        let members = exchange.map(join).unwrap_or_default();
        Simulation { servers, members, random: Random::new(count as u64), views: 0, began }
    }

    fn now(&self) -> Time {
        time(self.began)
    }

    /// A tenth of a second with its views.
    async fn step(&mut self) {
        for at in 0..self.servers.len() {
            self.views += 1;
            let (path, assets) = page(self.random.page(PAGES));
            self.servers[at].view(self.now(), &path, &assets, self.views);
        }
        tokio::time::sleep(Duration::from_millis(1000 / VIEWS)).await;
    }

    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * VIEWS {
            self.step().await;
        }
    }

    /// Bytes told and read of all members.
    fn bytes(&self) -> (u64, u64) {
        let each = self.members.iter().map(Member::status);
        each.fold((0, 0), |(told, heard), status| (told + status.told.bytes, heard + status.heard.bytes))
    }

    fn worst_lag(&self) -> f64 {
        let lags = self.members.iter().filter_map(|member| member.status().lag);
        lags.map(|lag| lag.as_secs_f64()).fold(0.0, f64::max)
    }

    /// Three networks load a page that nobody has loaded, at three servers, and from then on another one each second
    /// somewhere: seconds until each server plans it, for the slowest of some pages.
    async fn new_pages(&mut self) -> Option<f64> {
        let fresh = 10 * PAGES..10 * PAGES + NEW;
        for (path, assets) in fresh.clone().map(page) {
            for network in 0..3 {
                let at = self.random.below(self.servers.len());
                self.servers[at].view(self.now(), &path, &assets, u64::MAX - network);
            }
        }
        let begin = Instant::now();
        for step in 0..PATIENCE * VIEWS {
            if step % VIEWS == VIEWS - 1 {
                for (path, assets) in fresh.clone().map(page) {
                    let at = self.random.below(self.servers.len());
                    self.servers[at].view(self.now(), &path, &assets, u64::MAX - 3 - step);
                }
            }
            self.step().await;
            let now = self.now();
            if self.servers.iter().all(|server| fresh.clone().all(|number| server.plans(now, number))) {
                return Some(begin.elapsed().as_secs_f64());
            }
        }
        None
    }
}

fn time(began: Instant) -> Time {
    Time::from_millis(START + u64::try_from(began.elapsed().as_millis()).unwrap_or(0))
}

/// Measures a fleet of so many servers.
pub(crate) fn measure(count: usize) -> Measured {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let alone = cpu(async || Simulation::new(count, None).pass(MEASURED).await).await;
        let exchange = Memory::new();
        let mut fleet = Simulation::new(count, Some(&exchange));
        fleet.pass(WARM).await;
        let before = fleet.bytes();
        let mut lag = 0.0f64;
        let together = cpu(async || {
            for _ in 0..MEASURED {
                fleet.pass(1).await;
                lag = lag.max(fleet.worst_lag());
            }
        })
        .await;
        let after = fleet.bytes();
        let each = (count as u64 * MEASURED) as f64;
        Measured {
            servers: count,
            told: (after.0 - before.0) as f64 / each,
            read: (after.1 - before.1) as f64 / each,
            cpu: 100.0 * (together - alone).max(0.0) / each,
            lag,
            everywhere: fleet.new_pages().await,
        }
    })
}

/// Processor seconds of this process for some work.
async fn cpu(work: impl AsyncFnOnce()) -> f64 {
    let before = peers::cpu_time(std::process::id());
    work().await;
    peers::cpu_time(std::process::id()).saturating_sub(before).as_secs_f64()
}

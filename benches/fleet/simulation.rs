//! Members of a fleet in simulated time: the real code, its tasks and pauses included, over an exchange in memory. Time goes
//! on when all of them wait.
//!
//! If all servers of a large fleet heard all, the work would grow with the square of their number, and say of each the same.
//! So all of them learn and tell, and [`HEARING`] of them hear what all have told. What is said of hearing is said of these.

use std::sync::Arc;
use std::time::Duration;

use headstart_benches::peers;
use headstart_fleet::{Batch, Cursor, Exchange, Figures, Fleet, Member, Memory, Node, Pending};
use headstart_learn::Time;
use tokio::time::Instant;

use super::Measured;
use super::site::{PAGES, Random, VIEWS, own, page};
use super::support::{START, Server, config, keys};

/// Seconds before anything is measured, and for which it is.
const WARM: u64 = 60;
const MEASURED: u64 = 30;
/// New pages, and how long they may take to be planned everywhere.
const NEW: usize = 5;
const PATIENCE: u64 = 180;
/// Servers of a larger fleet that hear all the others. The rest tells all it learns, and hears only who else tells.
pub(crate) const HEARING: usize = 10;
/// Steps until a server that is not heard in full says again that it tells.
const SIGN_OF_LIFE: usize = 400;

fn server() -> Arc<Server> {
    Server::new(config(&keys(), 3).memory_bytes(8 << 20).build().expect("in range"))
}

/// Whether a server plans an asset that only this page has.
fn plans(server: &Server, now: Time, number: usize) -> bool {
    let own = own(number);
    server.planned(now, &page(number).0).iter().any(|path| path.starts_with(&own))
}

/// The exchange of a server that tells as all do, and hears of each other one only that it tells too: what it may tell
/// depends on how many there are.
#[derive(Clone, Debug, Default)]
struct Teller {
    log: Memory,
    signs: Memory,
}

impl Exchange for Teller {
    fn publish<'a>(&'a self, entry: &'a [u8]) -> Pending<'a, ()> {
        self.log.publish(entry)
    }

    fn read<'a>(&'a self, after: Option<&'a Cursor>, bytes: usize) -> Pending<'a, Batch> {
        self.signs.read(after, bytes)
    }

    fn base(&self) -> Pending<'_, Option<Vec<u8>>> {
        self.signs.base()
    }

    fn write_base<'a>(&'a self, base: &'a [u8]) -> Pending<'a, ()> {
        self.log.write_base(base)
    }

    fn lease<'a>(&'a self, _: &'a str, _: Duration) -> Pending<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    fn announce<'a>(&'a self, node: &'a str, status: &'a [u8]) -> Pending<'a, ()> {
        self.log.announce(node, status)
    }

    fn nodes(&self) -> Pending<'_, Vec<Vec<u8>>> {
        self.signs.nodes()
    }

    fn leave<'a>(&'a self, node: &'a str) -> Pending<'a, ()> {
        self.log.leave(node)
    }

    fn place(&self) -> String {
        self.log.place()
    }
}

/// A byte to tell: an entry with nothing to learn.
#[derive(Debug)]
struct Sign;

impl Figures for Sign {
    fn take(&self, _: usize) -> Option<Vec<u8>> {
        Some(vec![0])
    }

    fn add(&self, _: &[u8]) -> bool {
        true
    }

    fn known(&self) -> Vec<u8> {
        Vec::new()
    }

    fn replace(&self, _: &[u8]) -> bool {
        true
    }
}

/// A fleet of servers.
struct Simulation {
    servers: Vec<Arc<Server>>,
    /// The first of them hear all that is told.
    hearing: usize,
    members: Vec<Member>,
    /// Those that say for a server that it tells, where not all hear all.
    signs: Vec<Node<Server>>,
    exchange: Teller,
    random: Random,
    steps: usize,
    views: u64,
    began: Instant,
}

impl Simulation {
    /// Servers that are alone.
    fn alone(count: usize) -> Self {
        Simulation {
            servers: (0..count).map(|_| server()).collect(),
            hearing: 0,
            members: Vec::new(),
            signs: Vec::new(),
            exchange: Teller::default(),
            random: Random::new(count as u64),
            steps: 0,
            views: 0,
            began: Instant::now(),
        }
    }

    /// Servers that all tell, so many of which hear.
    fn together(count: usize, hearing: usize) -> Self {
        let mut all = Simulation { hearing, ..Simulation::alone(count) };
        let began = all.began;
        for (at, server) in all.servers.iter().enumerate() {
            let name = format!("web-{at}");
            let fleet = if at < hearing {
                Fleet::new(all.exchange.log.clone(), keys(), name)
            } else {
                Fleet::new(all.exchange.clone(), keys(), name)
            };
            all.members.push(fleet.expect("a name").join(Arc::clone(server), move || time(began)));
        }
        if hearing < count {
            let empty = server();
            let sign = |at| {
                let node = Node::new(&format!("sign-{at}"), at, &keys(), Arc::clone(&empty), 1 << 16, 1);
                node.with_figures(Arc::new(Sign))
            };
            all.signs.extend((0..count as u64).map(sign));
        }
        all
    }

    fn now(&self) -> Time {
        time(self.began)
    }

    /// A tenth of a second with its views.
    async fn step(&mut self) {
        for at in 0..self.servers.len() {
            self.views += 1;
            let (path, assets) = page(self.random.page(PAGES));
            self.servers[at].visit(self.now(), &path, &assets, self.views);
        }
        let now = self.now();
        for node in self.signs.iter_mut().skip(self.steps % SIGN_OF_LIFE).step_by(SIGN_OF_LIFE) {
            let sign = node.tell(now, 1 << 10).expect("a byte");
            self.exchange.signs.publish(&sign).await.expect("it is in memory");
        }
        self.steps += 1;
        tokio::time::sleep(Duration::from_millis(1000 / VIEWS)).await;
    }

    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * VIEWS {
            self.step().await;
        }
    }

    /// Bytes told and read, each by a server on average.
    fn bytes(&self) -> (f64, f64) {
        let told: u64 = self.members.iter().map(|member| member.status().told.bytes).sum();
        let heard: u64 = self.hearers().map(|member| member.status().heard.bytes).sum();
        (told as f64 / self.members.len() as f64, heard as f64 / self.hearing as f64)
    }

    /// Those that hear all.
    fn hearers(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().take(self.hearing)
    }

    fn worst_lag(&self) -> f64 {
        let lags = self.hearers().filter_map(|member| member.status().lag);
        lags.map(|lag| lag.as_secs_f64()).fold(0.0, f64::max)
    }

    /// Processor seconds for the seconds that are measured, after those that are not; `each` is called every second.
    async fn measure(&mut self, mut each: impl FnMut(&Self)) -> f64 {
        let processor = || peers::cpu_time(std::process::id());
        let before = processor();
        for _ in 0..MEASURED {
            self.pass(1).await;
            each(self);
        }
        processor().saturating_sub(before).as_secs_f64()
    }

    /// Three networks load a page that nobody has loaded, at three servers, and from then on another one each second
    /// somewhere: seconds until each server that hears plans it, for the slowest of some pages.
    async fn new_pages(&mut self) -> Option<f64> {
        let fresh = 10 * PAGES..10 * PAGES + NEW;
        for (path, assets) in fresh.clone().map(page) {
            for network in 0..3 {
                let at = self.random.below(self.servers.len());
                self.servers[at].visit(self.now(), &path, &assets, u64::MAX - network);
            }
        }
        let begin = Instant::now();
        for step in 0..PATIENCE * VIEWS {
            if step % VIEWS == VIEWS - 1 {
                for (path, assets) in fresh.clone().map(page) {
                    let at = self.random.below(self.servers.len());
                    self.servers[at].visit(self.now(), &path, &assets, u64::MAX - 3 - step);
                }
            }
            self.step().await;
            let now = self.now();
            let mut hearing = self.servers.iter().take(self.hearing);
            if hearing.all(|server| fresh.clone().all(|number| plans(server, now, number))) {
                return Some(begin.elapsed().as_secs_f64());
            }
        }
        None
    }
}

fn time(began: Instant) -> Time {
    Time::from_millis(START + u64::try_from(began.elapsed().as_millis()).unwrap_or(0))
}

/// Measures a fleet of so many servers. The cost of telling is of all of them, that of hearing of those that hear.
pub(crate) fn measure(count: usize) -> Measured {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let hearing = count.min(HEARING);
        let cost = async |mut simulation: Simulation| {
            simulation.pass(WARM).await;
            simulation.measure(|_| ()).await
        };
        let alone = cost(Simulation::alone(count)).await;
        // Where all hear, telling is not measured apart.
        let telling = if hearing < count { cost(Simulation::together(count, 0)).await } else { alone };
        let mut fleet = Simulation::together(count, hearing);
        fleet.pass(WARM).await;
        let before = fleet.bytes();
        let mut lag = 0.0f64;
        let together = fleet.measure(|fleet| lag = lag.max(fleet.worst_lag())).await;
        let after = fleet.bytes();
        let seconds = MEASURED as f64;
        let cpu = (telling - alone).max(0.0) / count as f64 + (together - telling).max(0.0) / hearing as f64;
        Measured {
            servers: count,
            told: (after.0 - before.0) / seconds,
            read: (after.1 - before.1) / seconds,
            cpu: 100.0 * cpu / seconds,
            lag,
            everywhere: fleet.new_pages().await,
        }
    })
}

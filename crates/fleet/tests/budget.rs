//! Members in simulated time: what they read, how old it is, and when a new page is known to all. Time goes on when all of
//! them wait.

mod support;

use std::sync::Arc;
use std::time::Duration;

use headstart_fleet::{Fleet, Member, Memory};
use headstart_learn::Time;
use support::*;
use tokio::time::Instant;

struct Simulation {
    servers: Vec<Arc<Server>>,
    members: Vec<Member>,
    began: Instant,
    views: u64,
}

fn time(began: Instant) -> Time {
    Time::from_millis(START + u64::try_from(began.elapsed().as_millis()).unwrap_or_default())
}

impl Simulation {
    fn new(count: usize, read_budget: usize) -> Self {
        let (exchange, began) = (Memory::new(), Instant::now());
        let settings = || config(&keys(), 3).memory_bytes(4 << 20).build().expect("in range");
        let servers: Vec<_> = (0..count).map(|_| Server::new(settings())).collect();
        let join = |(at, server): (usize, &Arc<Server>)| {
            let fleet = Fleet::new(exchange.clone(), keys(), format!("web-{at}")).expect("a name");
            fleet.read_budget(read_budget).join(Arc::clone(server), move || time(began))
        };
        let members = servers.iter().enumerate().map(join).collect();
        Simulation { servers, members, began, views: 0 }
    }

    /// Seconds with so many views at each server: half of them of one page, the others of pages that are seldom viewed.
    async fn pass(&mut self, seconds: u64, views: u64) {
        for _ in 0..seconds * views {
            for server in &self.servers {
                self.views += 1;
                let rare = format!("/shop/{}/", self.views % 397);
                let page = if self.views.is_multiple_of(2) { "/" } else { &*rare };
                let own: Vec<String> = (0..6).map(|n| format!("{page}{n}.png")).collect();
                let assets: Vec<&str> =
                    ["/a.css", "/b.css", "/c.js"].into_iter().chain(own.iter().map(|own| &**own)).collect();
                server.visit(time(self.began), page, &assets, self.views);
            }
            tokio::time::sleep(Duration::from_secs(1) / views as u32).await;
        }
    }

    /// Bytes a second that each has read, of these seconds; and the worst age of what it read.
    async fn read(&mut self, seconds: u64, views: u64) -> (Vec<f64>, f64) {
        let bytes = |members: &[Member]| members.iter().map(|member| member.status().heard.bytes).collect::<Vec<_>>();
        let (before, mut lag) = (bytes(&self.members), 0.0f64);
        for _ in 0..seconds {
            self.pass(1, views).await;
            let lags = self.members.iter().filter_map(|member| member.status().lag);
            lag = lags.map(|lag| lag.as_secs_f64()).fold(lag, f64::max);
        }
        let after = bytes(&self.members);
        (after.iter().zip(before).map(|(after, before)| (after - before) as f64 / seconds as f64).collect(), lag)
    }

    /// Seconds until a page is planned everywhere that three networks have loaded at three servers.
    async fn new_page(&mut self, views: u64) -> f64 {
        for network in 0..3 {
            let at = network as usize % self.servers.len();
            self.servers[at].visit(time(self.began), "/new/", &["/new/own.css"], u64::from(u32::MAX) - network);
        }
        let begin = Instant::now();
        let mut found = false;
        while !found {
            assert!(begin.elapsed() < Duration::from_secs(300), "it is never known everywhere");
            self.pass(1, views).await;
            let now = time(self.began);
            let planned = |server: &Arc<Server>| server.planned(now, "/new/");
            found = self.servers.iter().all(|server| planned(server).contains(&"/new/own.css".to_owned()));
        }
        begin.elapsed().as_secs_f64()
    }
}

#[tokio::test(start_paused = true)]
async fn at_ten_servers_evidence_is_young_and_a_new_page_is_soon_known() {
    let mut servers = Simulation::new(10, 64 << 10);
    servers.pass(25, 1).await;
    let (read, lag) = servers.read(20, 1).await;
    let most = read.iter().copied().fold(0.0, f64::max);
    // What waits to be told is at most 12 s old, and an entry that waits to be read 2 s and what a read takes.
    assert!(lag <= 5.0, "{lag} s");
    assert!(most <= 64.0 * 1024.0, "{most} bytes a second");
    let took = servers.new_page(1).await;
    assert!(took <= 20.0, "{took} s");
    eprintln!("10 servers: {most:.0} bytes/s read, {lag:.1} s old, a new page everywhere after {took:.1} s");
}

/// Where there is more to tell than may be read, servers read what they may, and what they know is the truth all the same.
#[tokio::test(start_paused = true)]
async fn reading_keeps_to_its_budget_and_what_is_known_stays_unbiased() {
    const BUDGET: usize = 2 << 10;
    let mut servers = Simulation::new(12, BUDGET);
    servers.pass(40, 2).await;
    let (read, lag) = servers.read(40, 2).await;
    let mean = read.iter().sum::<f64>() / read.len() as f64;
    assert!(mean > 0.3 * BUDGET as f64 && mean < 1.1 * BUDGET as f64, "{mean} bytes a second");
    assert!(lag <= 5.0, "{lag} s");
    // Half of all views are of one page, by a network each.
    let truth = servers.views as f64 / 2.0;
    for server in &servers.servers {
        let known = f64::from(server.weight(time(servers.began), "/"));
        assert!((0.4..1.6).contains(&(known / truth)), "{known} of {truth}");
    }
    eprintln!("12 servers: {mean:.0} of {BUDGET} bytes/s read");
}

//! State that all requests of one upstream share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headstart_policy::Shares;

use super::cache::Cache;
use super::config::{Balance, Config};
use super::encoding::Budget;
use super::server::Server;
use super::stats::Counters;

pub(super) struct Upstream {
    pub(super) config: Config,
    pub(super) servers: Vec<Arc<Server>>,
    pub(super) counters: Arc<Counters>,
    pub(super) name: Arc<str>,
    /// A permit for each request under way, shared fairly among clients.
    pub(super) shares: Arc<Shares>,
    /// One for each request whose content is under way.
    pub(super) uploads: Arc<Shares>,
    /// One for each response of which something has come that its client has not taken.
    pub(super) unread: Arc<Shares>,
    pub(super) turn: AtomicUsize,
    pub(super) cache: Cache,
    /// The memory of encoders.
    pub(super) encoders: Budget,
    /// The name that tells its responses in the cache from those of others.
    pub(super) cache_name: String,
}

impl Upstream {
    /// The next server to ask, of those not tried yet: a healthy one if there is one. `None` if all were tried.
    pub(super) fn balance(&self, tried: &[usize]) -> Option<usize> {
        let count = self.servers.len();
        if count == 1 {
            return tried.is_empty().then_some(0);
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let untried = || (0..count).map(|step| (turn.wrapping_add(step)) % count).filter(|at| !tried.contains(at));
        let is_healthy = |at: &usize| self.servers.get(*at).is_some_and(|server| server.is_healthy());
        let open = |at: &usize| self.servers.get(*at).map_or(0, |server| server.open.load(Ordering::Relaxed));
        match self.config.balance {
            Balance::RoundRobin => untried().find(is_healthy).or_else(|| untried().next()),
            Balance::LeastOpen => untried().filter(is_healthy).min_by_key(open).or_else(|| untried().min_by_key(open)),
        }
    }
}

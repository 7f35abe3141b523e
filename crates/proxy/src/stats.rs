//! Counts of an upstream: read at any time, for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::error::Fault;

/// Upper bounds of the buckets of [`UpstreamStats::head_times`], seconds; one more bucket has what is above.
pub const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The counters of one upstream, as they were at one moment. They only grow, but for those named `open_*`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamStats {
    /// [`Config::name`](crate::Config::name).
    pub name: Arc<str>,
    /// Requests that were meant for it, refused ones and those answered from the cache included.
    pub requests: u64,
    /// Responses that it gave, by the first digit of their status, from 1 (101 only) to 5.
    pub responses: [u64; 5],
    /// Failed attempts, by [`Fault`]; also those that were repeated with success.
    pub faults: Vec<(Fault, u64)>,
    /// Requests that were sent again after a failure.
    pub retries: u64,
    /// Requests and tunnels under way.
    pub open: u64,
    /// Tunnels under way.
    pub open_tunnels: u64,
    /// Connections made.
    pub connections: u64,
    /// Time from a request's head to its response's, in the buckets of [`BUCKETS`]; not cumulative.
    pub head_times: [u64; BUCKETS.len() + 1],
    /// The sum of those times, seconds.
    pub head_seconds: f64,
    /// Bytes of requests' bodies and tunnels, to the upstream.
    pub bytes_up: u64,
    /// Bytes of responses' bodies and tunnels, from the upstream.
    pub bytes_down: u64,
    /// Each server.
    pub servers: Vec<ServerStats>,
    /// Requests answered from the cache.
    pub cache_hits: u64,
    /// Requests that the cache could have answered but for their response not being there.
    pub cache_misses: u64,
}

/// One server of an upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerStats {
    /// As it was given.
    pub address: String,
    /// Whether requests are given to it.
    pub healthy: bool,
    /// Requests under way.
    pub open: u64,
    /// Requests that it was given.
    pub requests: u64,
    /// Those that it failed.
    pub failures: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    responses: [AtomicU64; 5],
    faults: [AtomicU64; Fault::ALL.len()],
    pub(super) retries: AtomicU64,
    pub(super) tunnels: AtomicU64,
    pub(super) connections: AtomicU64,
    head_times: [AtomicU64; BUCKETS.len() + 1],
    head_micros: AtomicU64,
    pub(super) bytes_up: AtomicU64,
    pub(super) bytes_down: AtomicU64,
    pub(super) cache_hits: AtomicU64,
    pub(super) cache_misses: AtomicU64,
}

pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Counters {
    pub(super) fn fault(&self, fault: Fault) {
        if let Some(counter) = self.faults.get(fault as usize) {
            add(counter, 1);
        }
    }

    pub(super) fn response(&self, status: http::StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = class.checked_sub(1).and_then(|class| self.responses.get(class)) {
            add(counter, 1);
        }
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS.len());
        if let Some(counter) = self.head_times.get(bucket) {
            add(counter, 1);
        }
        add(&self.head_micros, took.as_micros() as u64);
    }

    /// Everything but what the servers know of themselves.
    pub(super) fn snapshot(&self, name: &Arc<str>) -> UpstreamStats {
        UpstreamStats {
            name: Arc::clone(name),
            requests: read(&self.requests),
            responses: std::array::from_fn(|class| self.responses.get(class).map_or(0, read)),
            faults: Fault::ALL.iter().zip(&self.faults).map(|(fault, count)| (*fault, read(count))).collect(),
            retries: read(&self.retries),
            open: 0,
            open_tunnels: read(&self.tunnels),
            connections: read(&self.connections),
            head_times: std::array::from_fn(|bucket| self.head_times.get(bucket).map_or(0, read)),
            head_seconds: read(&self.head_micros) as f64 / 1e6,
            bytes_up: read(&self.bytes_up),
            bytes_down: read(&self.bytes_down),
            servers: Vec::new(),
            cache_hits: read(&self.cache_hits),
            cache_misses: read(&self.cache_misses),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_read() {
        let counters = Counters::default();
        counters.fault(Fault::Refused);
        counters.response(http::StatusCode::NOT_FOUND, Duration::from_millis(1));
        counters.response(http::StatusCode::OK, Duration::from_secs(60));
        let stats = counters.snapshot(&"app".into());
        assert_eq!(stats.responses, [0, 1, 0, 1, 0]);
        assert_eq!((stats.head_times[0], stats.head_times[BUCKETS.len()]), (1, 1));
        assert!((stats.head_seconds - 60.001).abs() < 1e-9);
        assert_eq!(stats.faults.iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(), [&(Fault::Refused, 1)]);
    }
}

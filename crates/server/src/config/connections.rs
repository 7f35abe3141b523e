//! `[h2]`, `[timeouts]`, `[limits]`: what a connection may cost.

use std::time::Duration;

use headstart::{ForwardedBy, h2};
use ipnet::IpNet;

/// Limits of connections. They hold until the next start.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pub(crate) h2: h2::Config,
    /// How long responses under way may take to finish when the program is told to stop.
    pub(crate) drain: Duration,
    pub(crate) max: u32,
    /// 0 is a share of the free slots.
    pub(crate) max_per_address: u32,
    /// 0 is as many as the facade takes for `max`.
    pub(crate) max_requests: u32,
    /// Proxies whose word is taken for whom they ask for.
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) forwarded_by: ForwardedBy,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            h2: h2::Config::default(),
            drain: Duration::from_secs(10),
            max: 10_000,
            max_per_address: 0,
            max_requests: 0,
            trusted_proxies: Vec::new(),
            forwarded_by: ForwardedBy::default(),
        }
    }
}

impl PartialEq for Connections {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

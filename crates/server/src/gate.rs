//! The network gate: how many networks must have needed an asset before it is sent early.

use std::fmt;

use crate::config::Settings;

/// How many networks must have needed an asset before it is sent early, and why.
pub(crate) struct Gate {
    pub(crate) networks: u32,
    why: &'static str,
}

impl Gate {
    /// The gate of these settings; `loopback` tells whether every listener is on a loopback address. One network is enough
    /// by default only where every client is local: a proxy on the same machine connects for clients that are not.
    pub(crate) fn of(settings: &Settings, loopback: bool) -> Self {
        let proxied = !settings.connections.trusted_proxies.is_empty();
        let balanced = settings.listen.iter().any(|listen| !listen.proxy_protocol.is_empty());
        Self::new(settings.engine.min_networks, is_local(loopback, proxied, balanced))
    }

    fn new(asked_for: Option<u32>, local: bool) -> Self {
        match asked_for {
            Some(networks) => Self { networks, why: "as asked for" },
            None if local => Self { networks: 1, why: "as every client is local" },
            None => Self { networks: 3, why: "so that no client alone can teach what others get" },
        }
    }
}

/// Whether every client is local: no proxy connects for others, by a field that is trusted or by a PROXY header.
fn is_local(loopback: bool, proxied: bool, balanced: bool) -> bool {
    loopback && !proxied && !balanced
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.networks == 1 { "" } else { "s" };
        write!(f, "assets are sent early once {} network{plural} loaded the page, {}", self.networks, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_enough_only_where_every_client_is_local() {
        let networks = |loopback, proxied, balanced| Gate::new(None, is_local(loopback, proxied, balanced)).networks;
        assert_eq!(networks(true, false, false), 1);
        assert_eq!(networks(false, false, false), 3);
        assert_eq!(networks(true, true, false), 3, "nginx on the same machine");
        assert_eq!(networks(true, false, true), 3, "a balancer on the same machine");
        assert_eq!(Gate::new(Some(8), true).networks, 8);
    }

    #[test]
    fn the_line_says_how_many_and_why() {
        assert_eq!(
            Gate::new(None, true).to_string(),
            "assets are sent early once 1 network loaded the page, as every client is local"
        );
        assert!(Gate::new(Some(8), true).to_string().contains("8 networks loaded the page, as asked for"));
    }
}

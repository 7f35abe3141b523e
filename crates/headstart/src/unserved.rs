//! Hints that did not serve: a client fetched what a 103 or `Link` named, and fetched it once more for the same view.
//!
//! A browser compares a preload with the element that asks. If an attribute, a policy or a `Vary` field keeps it from
//! using the preload, it fetches the asset again, and the hint has cost a download. No request shows the cause, but the
//! second request shows that there is one.

use std::sync::Arc;

use headstart_learn::NetworkId;

/// Assets of one page that are watched at most; further ones are hinted on.
const MAX_PATHS: usize = 8;

/// The assets of one page whose hints did not serve.
#[derive(Debug, Default)]
pub(crate) struct Unserved {
    watched: Vec<Refetched>,
    decided: Arc<[Arc<str>]>,
}

/// An asset that was fetched twice by clients of these networks; not more than the gate asks for.
#[derive(Debug)]
struct Refetched {
    path: Arc<str>,
    networks: Vec<NetworkId>,
}

impl Unserved {
    /// A client of this network has fetched a hinted asset twice for one view. When as many networks have as the gate asks
    /// for, the asset is hinted no more.
    pub(crate) fn refetched(&mut self, path: &Arc<str>, network: NetworkId, gate: usize) {
        let at = self.watched.iter().position(|watched| watched.path == *path).unwrap_or(self.watched.len());
        if at == MAX_PATHS {
            return;
        }
        if at == self.watched.len() {
            self.watched.push(Refetched { path: Arc::clone(path), networks: Vec::new() });
        }
        let Some(Refetched { networks, .. }) = self.watched.get_mut(at) else { return };
        if networks.len() < gate && !networks.contains(&network) {
            networks.push(network);
            if networks.len() >= gate {
                self.decided = self.decided.iter().cloned().chain([Arc::clone(path)]).collect();
            }
        }
    }

    /// The assets that are hinted no more.
    pub(crate) fn paths(&self) -> Arc<[Arc<str>]> {
        Arc::clone(&self.decided)
    }

    /// The page's markup has changed, and with it perhaps the cause.
    #[cfg(feature = "markup")]
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_networks_decide_as_the_gate_asks_for() {
        let mut unserved = Unserved::default();
        let path: Arc<str> = "/a.js".into();
        for _ in 0..10_000 {
            unserved.refetched(&path, NetworkId::new(1), 3);
            unserved.refetched(&path, NetworkId::new(2), 3);
        }
        assert!(unserved.paths().is_empty());
        unserved.refetched(&path, NetworkId::new(3), 3);
        unserved.refetched(&path, NetworkId::new(4), 3);
        assert_eq!(*unserved.paths(), [path]);
    }

    #[test]
    fn a_page_watches_so_many_assets_and_no_more() {
        let mut unserved = Unserved::default();
        for n in 0..1000 {
            unserved.refetched(&format!("/{n}").into(), NetworkId::new(1), 1);
        }
        assert_eq!(unserved.paths().len(), MAX_PATHS);
    }
}

//! How the servers of a fleet fare, asked from outside.

use std::time::Duration;

use headstart_learn::{Config, Learner, Time};

use crate::exchange::{ErrorKind, ExchangeError};
use crate::fleet::Fleet;
use crate::node::announced;
use crate::seal::Seal;
use crate::status::NodeStatus;

impl Fleet {
    /// The status of every server of this fleet, by name. Those that have said nothing for ten minutes are left out.
    ///
    /// # Errors
    ///
    /// If the exchange cannot be asked.
    pub async fn survey(&self, now: Time) -> Result<Vec<NodeStatus>, ExchangeError> {
        let seal = Seal::new(&self.keys);
        let fingerprint = fingerprint(self)?;
        let found = self.patiently(self.exchange.nodes()).await?;
        let announced = found.iter().filter_map(|entry| announced(&seal, entry));
        let mut nodes: Vec<NodeStatus> =
            announced.map(|(header, text)| NodeStatus::new(&header, fingerprint, text.as_deref())).collect();
        nodes.retain(|node| now.saturating_since(node.sent) < Duration::from_secs(600));
        nodes.sort_by(|a, b| (&a.name, a.boot).cmp(&(&b.name, b.boot)));
        Ok(nodes)
    }

    /// Takes all servers of a name off the list; says how many there were.
    ///
    /// # Errors
    ///
    /// If the exchange cannot be asked.
    pub async fn remove(&self, name: &str, now: Time) -> Result<usize, ExchangeError> {
        let nodes = self.survey(now).await?;
        let mut removed = 0;
        for node in nodes.iter().filter(|node| node.name == name) {
            self.patiently(self.exchange.leave(&format!("{}/{:016x}", node.name, node.boot))).await?;
            removed += 1;
        }
        Ok(removed)
    }

    async fn patiently<T>(&self, work: impl Future<Output = Result<T, ExchangeError>>) -> Result<T, ExchangeError> {
        let late = |_| Err(ExchangeError::new(ErrorKind::TimedOut, self.exchange.place()));
        tokio::time::timeout(5 * self.timeout, work).await.unwrap_or_else(late)
    }
}

fn fingerprint(fleet: &Fleet) -> Result<u64, ExchangeError> {
    let config = Config::builder().key(fleet.keys.evidence()).memory_bytes(1 << 20).build();
    let config = config.map_err(|error| ExchangeError::new(ErrorKind::Other, error.to_string()))?;
    Ok(Learner::new(config).key_fingerprint())
}

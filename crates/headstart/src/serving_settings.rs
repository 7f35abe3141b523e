//! Settings of accepted connections, checked once.

use crate::admission::Admission;
use crate::build_error::BuildError;
use crate::connections::Connections;

/// Settings of [`Headstart::serve`](crate::Headstart::serve).
pub(crate) struct ServingSettings {
    pub(crate) h2: headstart_h2::Config,
    pub(crate) connections: usize,
    pub(crate) connections_per_address: Option<u32>,
}

impl Default for ServingSettings {
    fn default() -> Self {
        let mut h2 = headstart_h2::Config::default();
        h2.extended_connect = true;
        ServingSettings { h2, connections: 10_000, connections_per_address: None }
    }
}

impl ServingSettings {
    pub(crate) fn build(self) -> Result<Connections, BuildError> {
        if !(1..=tokio::sync::Semaphore::MAX_PERMITS).contains(&self.connections) {
            return Err(BuildError::setting("max connections", "has to be at least 1"));
        }
        if self.connections_per_address == Some(0) {
            return Err(BuildError::setting("max connections per address", "has to be at least 1"));
        }
        Ok(Connections::new(self.h2, Admission::new(self.connections, self.connections_per_address)))
    }
}

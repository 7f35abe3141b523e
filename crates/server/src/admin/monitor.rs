//! The serving side's handle on the admin listener.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use headstart::{Builder, Headstart};
use tokio::sync::watch;

use super::config::Config;
use super::health::Health;
use super::ledger::Ledger;
use super::listener::Listener;
use super::sources::{Measurement, Origins, Sources};
use crate::access_log_writer::AccessLog;
use crate::traffic::{Counters, Watch};

/// Sees to it that the engine and the services are watched as far as somebody wants to know: with neither an admin listener
/// nor an access log nothing is.
pub(crate) struct Monitor {
    listener: Option<Listener>,
    /// `None` if nothing is measured.
    ledger: Option<Arc<Ledger>>,
    traffic: Arc<Counters>,
    access_log: Option<AccessLog>,
    health: Health,
    origins: Origins,
    started: SystemTime,
}

impl Monitor {
    /// Binds the admin listener, if there is to be one. `ledger` is what events are added up in, if anything is measured.
    ///
    /// # Errors
    ///
    /// If its address cannot be used, or would let everybody in.
    pub(crate) async fn new(
        config: Config,
        access_log: Option<AccessLog>,
        ledger: Option<Ledger>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            listener: Listener::bind(config).await?,
            ledger: ledger.map(Arc::new),
            traffic: Arc::default(),
            access_log,
            health: Health::default(),
            origins: Origins::default(),
            started: SystemTime::now(),
        })
    }

    /// Has the engine report what it does.
    pub(crate) fn observe(&self, builder: Builder) -> Builder {
        match self.ledger.clone() {
            Some(ledger) => builder.on_event(move |event| ledger.record(event)),
            None => builder,
        }
    }

    /// The observer around the services that answer.
    pub(crate) fn watch(&self) -> Watch {
        let counters = self.listener.as_ref().map(|_| Arc::clone(&self.traffic));
        Watch { counters, log: self.access_log.clone() }
    }

    /// The ledger, if anything is measured.
    pub(crate) fn ledger(&self) -> Option<Arc<Ledger>> {
        self.ledger.clone()
    }

    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    /// To be told of what answers, at the start and after each reload.
    pub(crate) fn origins(&self) -> Origins {
        self.origins.clone()
    }

    pub(crate) fn access_log(&self) -> Option<&AccessLog> {
        self.access_log.as_ref()
    }

    /// URLs to open in a browser for the dashboard.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.listener.as_ref().map(Listener::urls).unwrap_or_default()
    }

    /// Starts to answer operators. `snapshot` is the file that what was learned is saved in; `stopping` turns true when the
    /// server is told to stop.
    pub(crate) fn start(
        self,
        headstart: Headstart,
        min_networks: u32,
        measurement: Measurement,
        snapshot: Option<PathBuf>,
        stopping: watch::Receiver<bool>,
    ) {
        let Self { listener, ledger, traffic, access_log, health, origins, started } = self;
        if let (Some(listener), Some(ledger)) = (listener, ledger) {
            let sources = Sources {
                headstart,
                ledger,
                traffic,
                access_log,
                snapshot,
                health,
                origins,
                started,
                min_networks,
                measurement,
            };
            listener.start(sources, stopping);
        }
    }
}

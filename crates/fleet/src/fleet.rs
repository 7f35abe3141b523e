//! The settings of a server's membership.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::entry::is_name;
use crate::exchange::Exchange;
use crate::figures::Figures;
use crate::keys::Keys;

/// Gives facts that change, by name.
pub(crate) type Changing = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;

/// Settings of a server's membership in a fleet.
///
/// ```
/// use headstart_fleet::{Fleet, Keys, Memory};
///
/// let fleet = Fleet::new(Memory::new(), Keys::random()?, "web-1")?.read_budget(32 << 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Fleet {
    pub(crate) exchange: Arc<dyn Exchange>,
    pub(crate) keys: Keys,
    pub(crate) name: String,
    pub(crate) publish: Duration,
    pub(crate) read: Duration,
    pub(crate) base: Duration,
    pub(crate) timeout: Duration,
    pub(crate) read_budget: usize,
    pub(crate) memory: usize,
    pub(crate) max_weight: u32,
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) changing: Option<Changing>,
    pub(crate) figures: Option<Arc<dyn Figures>>,
    pub(crate) resume: Option<Vec<u8>>,
}

impl Fleet {
    /// A fleet that meets at `exchange` and shares `keys`. `name` tells this server apart from the others.
    ///
    /// # Errors
    ///
    /// If the name is not of 1 to 64 letters, digits, `-`, `_` and `.`, or begins with a dot.
    pub fn new(exchange: impl Exchange, keys: Keys, name: impl Into<String>) -> Result<Self, FleetError> {
        Self::with(Arc::new(exchange), keys, name)
    }

    /// As [`new`](Self::new), with an exchange that is chosen while the program runs.
    ///
    /// # Errors
    ///
    /// If the name is not allowed.
    pub fn with(exchange: Arc<dyn Exchange>, keys: Keys, name: impl Into<String>) -> Result<Self, FleetError> {
        let name = name.into();
        if !is_name(name.as_bytes()) {
            return Err(FleetError::new("the name of a server is 1 to 64 letters, digits, `-`, `_` and `.`"));
        }
        Ok(Fleet {
            exchange,
            keys,
            name,
            publish: Duration::from_secs(10),
            read: Duration::from_secs(2),
            base: Duration::from_secs(600),
            timeout: Duration::from_secs(2),
            read_budget: 64 << 10,
            memory: 4 << 20,
            max_weight: 256,
            facts: BTreeMap::new(),
            changing: None,
            figures: None,
            resume: None,
        })
    }

    /// How long evidence waits to be told. 10 s; it is told sooner when others should hear of it and there is room in the
    /// budget.
    pub fn publish(mut self, every: Duration) -> Self {
        self.publish = every.max(Duration::from_millis(100));
        self
    }

    /// How often the others' entries are read. 2 s.
    pub fn read(mut self, every: Duration) -> Self {
        self.read = every.max(Duration::from_millis(50));
        self
    }

    /// How often a base is written for servers that come late. 10 minutes, the first after one.
    pub fn base(mut self, every: Duration) -> Self {
        self.base = every.max(Duration::from_secs(1));
        self
    }

    /// How long the exchange may take for one answer. 2 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Bytes a second that this server reads on average; each tells as much as the others have room for. 64 KiB.
    pub fn read_budget(mut self, bytes: usize) -> Self {
        self.read_budget = bytes.max(1024);
        self
    }

    /// Bytes of memory for what waits to be told. 4 MiB.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes.max(64 << 10);
        self
    }

    /// The most visits that one visit of another server may stand for; 256. It bounds what a server that lies can plant.
    pub fn max_weight(mut self, visits: u32) -> Self {
        self.max_weight = visits.clamp(1, 4096);
        self
    }

    /// Something to say of this server to the others, for operators: its version, say.
    pub fn fact(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.insert(name.into().replace(['=', '\n'], " "), value.into());
        self
    }

    /// As [`fact`](Self::fact), with what changes: called every ten seconds, on the member's task.
    pub fn changing_facts(mut self, facts: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static) -> Self {
        self.changing = Some(Arc::new(facts));
        self
    }

    /// What this server measures, and adds up with what the others do.
    pub fn figures(mut self, figures: Arc<dyn Figures>) -> Self {
        self.figures = Some(figures);
        self
    }

    /// What [`Member::remember`](crate::Member::remember) gave, for a learner that starts with the snapshot of that time. Bytes that make no sense
    /// are left aside, and then the learner should start empty.
    pub fn resume(mut self, bytes: Vec<u8>) -> Self {
        self.resume = Some(bytes);
        self
    }

    /// The opposite of [`resume`](Self::resume): the learner starts empty.
    pub fn forget(mut self) -> Self {
        self.resume = None;
        self
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The name of this server.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("exchange", &self.exchange).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why there is no fleet with these settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetError {
    problem: String,
}

impl FleetError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        FleetError { problem: problem.into() }
    }
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for FleetError {}

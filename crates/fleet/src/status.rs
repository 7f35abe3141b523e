//! How a server fares in its fleet, for operators.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use headstart_learn::Time;

use crate::entry::Header;
use crate::refusal::Refusal;

/// How this server fares in its fleet. Counts grow without end.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The name of this server.
    pub name: String,
    /// Address of the exchange, without a password.
    pub place: String,
    /// Whether the fleet's knowledge was taken over, or there was none.
    pub joined: bool,
    /// The present trouble, if there is any.
    pub trouble: Option<String>,
    /// Since when.
    pub trouble_since: Option<Time>,
    /// Entries and bytes told.
    pub told: Traffic,
    /// Entries and bytes heard from others.
    pub heard: Traffic,
    /// Visits of others that were learned.
    pub visits: u64,
    /// Visits of others whose network had voted already.
    pub voted: u64,
    /// Entries of others that never came, or came too late: trimmed, or lost.
    pub missing: u64,
    /// Entries that came more than once.
    pub doubled: u64,
    /// Entries that were refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// Own visits that found no room while they could not be told; others stand for them.
    pub dropped: u64,
    /// Own visits that wait to be told.
    pub waiting: usize,
    /// Requests for assets that named their page.
    pub named_assets: u64,
    /// Those of them whose page was asked for at another server, as a balancer that balances by request makes them.
    pub orphans: u64,
    /// The share of those among the latest, while it is above 5 %.
    pub scattered: Option<f64>,
    /// How old the last entry was when it was read, by its server's clock.
    pub lag: Option<Duration>,
    /// Bytes a second that may be read.
    pub read_budget: usize,
    /// When a base was last written or taken over.
    pub base: Option<Time>,
    /// The last status of every node, this one too.
    pub nodes: Vec<NodeStatus>,
}

/// Entries and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Entries.
    pub entries: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Traffic {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.entries += 1;
        self.bytes += bytes as u64;
    }
}

/// The status of one node.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// The number of its process: of two nodes with one name there are two.
    pub boot: u64,
    /// When it said so, by its clock.
    pub sent: Time,
    /// Whether it has the key of evidence of this fleet.
    pub same_key: bool,
    /// Its half-life of evidence. Entries of a server with another one are refused.
    pub half_life: Duration,
    /// The rest, by name: `version`, `visits`, `told`, `heard`, `lag_ms`, `missing`, `refused`, `dropped`, `trouble`, and
    /// what the program adds.
    pub facts: BTreeMap<String, String>,
}

impl NodeStatus {
    pub(crate) fn new(header: &Header, fingerprint: u64, text: Option<&str>) -> Self {
        let facts = text.unwrap_or_default().lines().filter_map(|line| line.split_once('='));
        NodeStatus {
            name: header.node.to_string(),
            boot: header.boot,
            sent: header.sent,
            same_key: header.fingerprint == fingerprint && text.is_some(),
            half_life: Duration::from_millis(header.half_life),
            facts: facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

impl Status {
    /// Names that more than one node has that spoke within the last minute.
    pub fn doubled_names(&self, now: Time) -> Vec<&str> {
        let fresh = |node: &&NodeStatus| now.saturating_since(node.sent) < Duration::from_secs(60);
        let mut boots: BTreeMap<&str, usize> = BTreeMap::new();
        for node in self.nodes.iter().filter(fresh) {
            *boots.entry(&node.name).or_default() += 1;
        }
        boots.into_iter().filter(|(_, boots)| *boots > 1).map(|(name, _)| name).collect()
    }

    /// This node's status, for the others.
    pub(crate) fn announcement(&self, facts: &BTreeMap<String, String>) -> String {
        let mut text = String::new();
        let mut put = |name: &str, value: &dyn std::fmt::Display| {
            let value = value.to_string().replace(['\n', '\r'], " ");
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}={value}");
        };
        put("visits", &self.visits);
        put("told", &self.told.entries);
        put("told_bytes", &self.told.bytes);
        put("heard", &self.heard.entries);
        put("heard_bytes", &self.heard.bytes);
        put("missing", &self.missing);
        put("refused", &self.refused.values().sum::<u64>());
        put("dropped", &self.dropped);
        put("assets", &self.named_assets);
        put("orphans", &self.orphans);
        if let Some(share) = self.scattered {
            put("scattered", &format_args!("{share:.3}"));
        }
        if let Some(lag) = self.lag {
            put("lag_ms", &lag.as_millis());
        }
        if let Some(trouble) = &self.trouble {
            put("trouble", trouble);
        }
        for (name, value) in facts {
            put(name, value);
        }
        text
    }
}

//! `[fleet]`: the servers that this one learns with.

use std::path::PathBuf;
use std::time::Duration;

use super::place::At;
use super::problems::Problems;

/// `[fleet]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fleet {
    /// The URL where the servers meet. `None`: there is no fleet, and nothing is opened.
    pub(crate) url: Option<At<String>>,
    pub(crate) key_file: Option<At<PathBuf>>,
    /// Tells fleets apart that share an engine.
    pub(crate) group: String,
    /// Of this server; by default the name of the machine.
    pub(crate) name: Option<String>,
    pub(crate) publish: Duration,
    pub(crate) read_budget: usize,
    pub(crate) memory: usize,
    pub(crate) weight: u32,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            url: None,
            key_file: None,
            group: "default".into(),
            name: None,
            publish: Duration::from_secs(10),
            read_budget: 64 << 10,
            memory: 4 << 20,
            weight: 256,
        }
    }
}

impl Fleet {
    /// Finds settings that make no sense without each other.
    pub(super) fn check(&self, problems: &Problems) {
        match (&self.url, &self.key_file) {
            (Some(url), None) => problems.add_at(
                url,
                "needs the `key_file` of the fleet (HEADSTART_FLEET_KEY_FILE); `headstart fleet key new FILE` makes one",
            ),
            (None, Some(key)) => problems.add_at(key, "is of no use without the `url` of the fleet"),
            _ => {}
        }
    }
}

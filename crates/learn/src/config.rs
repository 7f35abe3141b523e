//! What the learner may assume, keep and spend.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Settings of a [`Learner`](crate::Learner), checked once by
/// [`Learner::new`](crate::Learner::new).
///
/// Every field may be set; start from [`Config::default`].
///
/// ```
/// let mut config = headstart_learn::Config::default();
/// config.min_networks = 8;
/// assert!(headstart_learn::Learner::new(config).is_ok());
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The time in which evidence loses half its weight. 1 day; 1 minute to 1 year.
    pub half_life: Duration,
    /// How long after its navigation a visit takes in assets. 15 s; 1 ms to 1 hour.
    pub window: Duration,
    /// Distinct networks that an asset of a page must be seen from before it is
    /// planned or shown. 3; 1 to 16. One lets a single client teach.
    pub min_networks: u32,
    /// One network has one vote on a page in this time; later visits in it are
    /// not counted. 10 minutes; [`Duration::ZERO`] counts every visit.
    pub vote_interval: Duration,
    /// Fewest counted visits of a page, or of its template or section, before
    /// anything is planned for it. 2.
    pub min_visits: u32,
    /// Most sites. 256; at most 65,535. When full, a new site is not learned.
    pub max_sites: usize,
    /// Most pages, templates and sections together. 65,536, less if
    /// `memory_bytes` cannot hold them. When full, the lightest gives way, and
    /// only to one that weighs more.
    pub max_pages: usize,
    /// Most assets of a page. 64; at most 1,024. Templates and sections keep twice as
    /// many. When full, the lightest gives way, and only to one seen more often.
    pub max_assets_per_page: usize,
    /// Bytes of heap for everything. 64 MiB; at least 1 MiB. The shares are:
    /// published plans 1/4, open visits 1/8, votes and sketch 1/64 each, the rest
    /// for the model.
    pub memory_bytes: usize,
    /// Most candidates in a plan. 32; at most 1,024.
    pub publish: usize,
    /// Strength of the parent level's opinion, in visits. 0.5; 0.01 to 100.
    pub kappa: f32,
    /// Width of the confidence interval, in standard errors. 0.25; 0 to 10.
    pub z: f32,
    /// A candidate is published when its lower bound reaches this. 0.25; 0 to 1.
    pub hint_threshold: f32,
    /// Secret key of every hash. Keep it with the snapshot: under another key only
    /// what has passed the network gate is restored.
    pub key: [u8; 16],
    /// Collect what is learned for [`Learner::take_delta`](crate::Learner::take_delta).
    /// Off; costs up to 1/16 of `memory_bytes`.
    pub collect_deltas: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            half_life: Duration::from_secs(24 * 60 * 60),
            window: Duration::from_secs(15),
            min_networks: 3,
            vote_interval: Duration::from_secs(10 * 60),
            min_visits: 2,
            max_sites: 256,
            max_pages: 65_536,
            max_assets_per_page: 64,
            memory_bytes: 64 << 20,
            publish: 32,
            kappa: 0.5,
            z: 0.25,
            hint_threshold: 0.25,
            key: [0; 16],
            collect_deltas: false,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("half_life", &self.half_life)
            .field("window", &self.window)
            .field("min_networks", &self.min_networks)
            .field("vote_interval", &self.vote_interval)
            .field("min_visits", &self.min_visits)
            .field("max_sites", &self.max_sites)
            .field("max_pages", &self.max_pages)
            .field("max_assets_per_page", &self.max_assets_per_page)
            .field("memory_bytes", &self.memory_bytes)
            .field("publish", &self.publish)
            .field("kappa", &self.kappa)
            .field("z", &self.z)
            .field("hint_threshold", &self.hint_threshold)
            .field("collect_deltas", &self.collect_deltas)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Checks every setting against the range in its documentation.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let minute = Duration::from_secs(60);
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let checks = [
            ("half_life", (minute..=year).contains(&self.half_life)),
            ("window", (Duration::from_millis(1)..=minute * 60).contains(&self.window)),
            ("min_networks", (1..=16).contains(&self.min_networks)),
            ("vote_interval", self.vote_interval <= year),
            ("max_sites", (1..=65_535).contains(&self.max_sites)),
            ("max_pages", (1..=1 << 24).contains(&self.max_pages)),
            ("max_assets_per_page", (1..=1024).contains(&self.max_assets_per_page)),
            ("memory_bytes", (1 << 20..=1 << 40).contains(&self.memory_bytes)),
            ("publish", (1..=1024).contains(&self.publish)),
            ("kappa", (0.01..=100.0).contains(&self.kappa)),
            ("z", (0.0..=10.0).contains(&self.z)),
            ("hint_threshold", (0.0..=1.0).contains(&self.hint_threshold)),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            Some((setting, _)) => Err(ConfigError { setting }),
            None => Ok(()),
        }
    }
}

/// A setting is outside the range that its documentation gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    setting: &'static str,
}

impl ConfigError {
    /// The name of the field of [`Config`].
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "learner setting `{}` is out of range", self.setting)
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_setting() {
        assert_eq!(Config::default().check(), Ok(()));
        let bad = Config { z: f32::NAN, ..Config::default() };
        assert_eq!(bad.check().map_err(|e| e.setting()), Err("z"));
        let bad = Config { half_life: Duration::ZERO, ..Config::default() };
        assert_eq!(bad.check().map_err(|e| e.to_string()), Err("learner setting `half_life` is out of range".into()));
    }

    #[test]
    fn the_key_is_not_printed() {
        let config = Config { key: [0xab; 16], ..Config::default() };
        assert!(!format!("{config:?}").contains("171"));
        assert!(!format!("{config:?}").contains("key"));
    }
}

//! Assumptions and bounds of the learner.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The settings of a [`Learner`](crate::Learner), each in its range.
///
/// ```
/// use headstart_learn::{Config, Learner};
/// let config = Config::builder().min_networks(8).build()?;
/// let learner = Learner::new(config);
/// # Ok::<(), headstart_learn::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    settings: Settings,
}

/// Sets what a [`Config`] is to hold. All is checked in [`build`](ConfigBuilder::build).
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    settings: Settings,
}

#[derive(Clone, PartialEq)]
struct Settings {
    half_life: Duration,
    window: Duration,
    min_networks: u32,
    vote_interval: Duration,
    min_visits: u32,
    max_sites: usize,
    max_pages: usize,
    max_assets_per_page: usize,
    memory_bytes: usize,
    publish: usize,
    kappa: f32,
    z: f32,
    hint_threshold: f32,
    key: [u8; 16],
    campaign_fields: Vec<Box<str>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            half_life: Duration::from_secs(24 * 60 * 60),
            window: Duration::from_secs(15),
            min_networks: 3,
            vote_interval: Duration::from_secs(10 * 60),
            min_visits: 2,
            max_sites: 256,
            max_pages: 65_536,
            max_assets_per_page: 256,
            memory_bytes: 64 << 20,
            publish: 64,
            kappa: 0.5,
            z: 0.25,
            hint_threshold: 0.25,
            key: [0; 16],
            campaign_fields: Vec::new(),
        }
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        impl ConfigBuilder {
            $($(#[$doc])* pub fn $name(mut self, $name: $type) -> Self {
                self.settings.$name = $name;
                self
            })*
        }

        impl Config {
            $($(#[$doc])* pub fn $name(&self) -> $type {
                self.settings.$name
            })*
        }
    };
}

settings! {
    /// The time in which evidence loses half its weight, of which the last thirty visits that said
    /// something are always kept. 1 day; 1 minute to 1 year.
    half_life: Duration;
    /// How long after its navigation a visit takes in assets at most. 15 s; 1 ms to 1 hour.
    window: Duration;
    /// Distinct networks that an asset of a page must be seen from before it is
    /// planned or shown. 3; 1 to 16. One lets a single client teach.
    min_networks: u32;
    /// One network has one vote on a page in this time; later visits in it are
    /// not counted. 10 minutes; at most a year; [`Duration::ZERO`] counts every visit.
    vote_interval: Duration;
    /// Fewest counted visits of a page, or of its template or section, before
    /// anything is planned for it. 2.
    min_visits: u32;
    /// Most sites. 256; at most 65,535. When full, a site that more networks know takes the place of one that fewer do
    /// ([`Learner::shown`](crate::Learner::shown)).
    max_sites: usize;
    /// Most pages, templates and sections together. 65,536, less if
    /// `memory_bytes` cannot hold them; at most 2^24. When full, the lightest gives way, and
    /// only to one that weighs more.
    max_pages: usize;
    /// Most assets of a page. 256; at most 1,024. Templates and sections keep twice as
    /// many. When full, the lightest gives way, and only to one seen more often.
    max_assets_per_page: usize;
    /// Bytes of heap for everything. 64 MiB; 1 MiB to 1 TiB. The shares are:
    /// published plans 1/4, open visits 1/8, votes, sketch and clients seen 1/64 each, the rest
    /// for the model.
    memory_bytes: usize;
    /// Most candidates in a plan. 64; at most 1,024.
    publish: usize;
    /// Strength of the parent level's opinion, in visits. 0.5; 0.01 to 100.
    kappa: f32;
    /// Width of the confidence interval, in standard errors. 0.25; 0 to 10.
    z: f32;
    /// A candidate is published when its lower bound reaches this. 0.25; 0 to 1.
    hint_threshold: f32;
    /// Secret key of every hash. Keep it with the snapshot: under another key
    /// only what has passed the network gate is restored.
    key: [u8; 16];
}

impl ConfigBuilder {
    /// Adds a field of queries that tells no pages apart, beside those that are known to name a
    /// campaign (`utm_source`, `gclid`, `fbclid` and their kind).
    pub fn campaign_field(mut self, name: impl Into<Box<str>>) -> Self {
        self.settings.campaign_fields.push(name.into());
        self
    }

    /// Checks every setting against the range in its documentation.
    ///
    /// # Errors
    ///
    /// Names the first setting that is out of its range.
    pub fn build(self) -> Result<Config, ConfigError> {
        let minute = Duration::from_secs(60);
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let s = &self.settings;
        let checks = [
            ("half_life", (minute..=year).contains(&s.half_life)),
            ("window", (Duration::from_millis(1)..=minute * 60).contains(&s.window)),
            ("min_networks", (1..=16).contains(&s.min_networks)),
            ("vote_interval", s.vote_interval <= year),
            ("max_sites", (1..=65_535).contains(&s.max_sites)),
            ("max_pages", (1..=1 << 24).contains(&s.max_pages)),
            ("max_assets_per_page", (1..=1024).contains(&s.max_assets_per_page)),
            ("memory_bytes", (1 << 20..=1 << 40).contains(&s.memory_bytes)),
            ("publish", (1..=1024).contains(&s.publish)),
            ("kappa", (0.01..=100.0).contains(&s.kappa)),
            ("z", (0.0..=10.0).contains(&s.z)),
            ("hint_threshold", (0.0..=1.0).contains(&s.hint_threshold)),
            ("campaign_field", s.campaign_fields.iter().all(|name| (1..=64).contains(&name.len()))),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            Some((setting, _)) => Err(ConfigError { setting }),
            None => Ok(Config { settings: self.settings }),
        }
    }
}

impl Config {
    /// A builder with every setting at its default.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// A builder with every setting as it is here.
    pub fn to_builder(&self) -> ConfigBuilder {
        ConfigBuilder { settings: self.settings.clone() }
    }

    /// The fields of queries that were added to those that tell no pages apart.
    pub fn campaign_fields(&self) -> &[Box<str>] {
        &self.settings.campaign_fields
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
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
            .field("campaign_fields", &self.campaign_fields)
            .finish_non_exhaustive()
    }
}

/// A setting is outside the range that its documentation gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    setting: &'static str,
}

impl ConfigError {
    /// The name of the setting, which is that of its method in [`ConfigBuilder`].
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
        assert_eq!(ConfigBuilder::default().build(), Ok(Config::default()));
        let bad = Config::builder().z(f32::NAN).build();
        assert_eq!(bad.map_err(|e| e.setting()), Err("z"));
        let bad = Config::builder().half_life(Duration::ZERO).build();
        assert_eq!(bad.map_err(|e| e.to_string()), Err("learner setting `half_life` is out of range".into()));
        assert!(Config::builder().campaign_field("").build().is_err());
    }

    #[test]
    fn the_key_is_not_printed() {
        let config = Config::builder().key([0xab; 16]).build().expect("in range");
        assert_eq!(config.key(), [0xab; 16]);
        assert!(!format!("{config:?}").contains("171"));
        assert!(!format!("{config:?}").contains("key"));
    }
}

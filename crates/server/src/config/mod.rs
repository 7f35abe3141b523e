//! The configuration: one TOML file, the environment and flags, understood into [`Settings`].
//!
//! ```text
//!  file --tree::parse--> Node <--set-- variables <--set-- flags       layers: values with their places
//!                          |
//!                       Section: get, within, list, done              problems: all of them, with line and key
//!                          |
//!                       Settings
//! ```
//!
//! Values are read by hand from the tree and not by a derived deserializer: that one ends at the first mistake, and
//! an operator wants all of them, with a suggestion for each misspelt key. What was not asked for is a mistake, so
//! the code that reads a section is the only list of its keys.

pub(crate) mod connections;
pub(crate) mod engine;
pub(crate) mod files;
pub(crate) mod layers;
pub(crate) mod listeners;
pub(crate) mod operation;
pub(crate) mod place;
pub(crate) mod problems;
pub(crate) mod rules;
pub(crate) mod section;
pub(crate) mod settings;
pub(crate) mod sites;
pub(crate) mod tree;
pub(crate) mod upstreams;
pub(crate) mod values;

pub(crate) use problems::{Problem, Problems};
pub(crate) use settings::{Settings, Surroundings};

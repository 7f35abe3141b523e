//! The configuration: one TOML file, the environment and flags, understood into [`Settings`].
//!
//! ```text
//!  table: every setting, once ------------> flags, variables, --help, packaging/headstart.toml
//!     |
//!     |   file --tree::parse--> Node <--set-- variables <--set-- flags       layers: values with their places
//!     |                           |
//!     +--Group::read----------> Section                                      problems: all of them, with line and key
//!                                 |
//!                              Settings
//! ```
//!
//! Values are read by hand from the tree and not by a derived deserializer: that one ends at the first mistake, and
//! an operator wants all of them, with a suggestion for each misspelt key. A key that no row of the table has asked for
//! is a mistake.

mod acme;
#[cfg(test)]
mod any_text;
pub(crate) mod connections;
pub(crate) mod engine;
mod entries;
pub(crate) mod example;
mod fields;
pub(crate) mod files;
pub(crate) mod fleet;
pub(crate) mod layers;
pub(crate) mod listeners;
pub(crate) mod operation;
pub(crate) mod place;
pub(crate) mod problems;
pub(crate) mod rules;
pub(crate) mod section;
pub(crate) mod setting;
pub(crate) mod settings;
pub(crate) mod sites;
pub(crate) mod size;
pub(crate) mod table;
pub(crate) mod tree;
pub(crate) mod upstreams;
pub(crate) mod values;

pub(crate) use fields::SiteField;
pub(crate) use problems::{Problem, Problems};
pub(crate) use settings::Settings;

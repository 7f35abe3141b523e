//! The rig of these tests: a server in a box, sites, and clients that record what they see.

pub(crate) mod admin;
pub(crate) mod chromium;
pub(crate) mod curl;
pub(crate) mod nghttp;
pub(crate) mod node;
pub(crate) mod raw;
pub(crate) mod scan;
pub(crate) mod server;
pub(crate) mod site;
pub(crate) mod visitor;

use std::collections::BTreeSet;
pub(crate) use testkit::{netlog, relay, tools, upstream};

/// Paths as a set: the order in which things came is asserted where it matters.
pub(crate) fn set<'a>(paths: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    paths.into_iter().map(str::to_owned).collect()
}

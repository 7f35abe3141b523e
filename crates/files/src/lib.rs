//! Serves the files of one directory over HTTP: a [`tower_service::Service`], so that the page and what is pushed
//! with it come from the same place.
//!
//! * Every file has a strong `ETag` made from its content, so an asset that changed on disk is a different asset;
//!   conditional requests (RFC 9110, section 13) and ranges (section 14) follow from it.
//! * Files of up to [`Config::max_file`] bytes are answered from memory, in a cache of at most
//!   [`Config::max_memory`] bytes. Whether the copy is still true is asked of the disk at most once in
//!   [`Config::revalidate`], by `stat`. Larger files are streamed from disk in pieces.
//! * Text is compressed once and kept, unless a compressed file lies beside it (`load`, `forms`).
//! * Paths are decoded once; what names anything outside the directory, a hidden file, or something that is not a
//!   regular file is refused (`path`, `open`).

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod body;
mod cache;
mod cache_control;
mod charset;
mod conditional;
mod config;
mod entry;
mod forms;
mod head;
mod load;
mod memory_budget;
mod mime;
mod open;
mod open_files;
mod path;
mod pattern;
mod range;
mod read_permits;
mod representation;
mod respond;

mod service;
mod stamp;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use cache::CacheStats;
pub use config::{Config, Dotfiles, Symlinks};
pub use pattern::Pattern;
pub use service::{ResponseFuture, StaticFiles};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

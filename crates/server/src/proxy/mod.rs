//! A reverse proxy: a [`tower_service::Service`] that asks an application over HTTP and hands its answers on.

#![allow(dead_code, reason = "used by the command `proxy`, which follows")]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod address;
mod config;
mod error;
mod stats;

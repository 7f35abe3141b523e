//! What holds for any input. Each law is a module with a function `run`, which panics where the law is broken: the body of
//! the fuzz target of that name (`fuzz/`), and a test over the inputs in `corpus/` on each build.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a law that is broken panics"
)]

mod answers;
mod connection;
mod read;
mod serve;
#[allow(dead_code, reason = "the program uses more of it")]
mod server;

pub mod cache;
pub mod coding_accept;
pub mod files_request;
pub mod fleet_entries;
pub mod gain_records;
pub mod gcs_decode;
pub mod gcs_headers;
pub mod gcs_round_trip;
pub mod gcs_view_equals_set;
pub mod h2_connection;
pub mod headstart_policy;
pub mod learn_delta;
pub mod learn_operations;
pub mod learn_restore;
pub mod link;
pub mod log_lines;
pub mod markup_read;
pub mod proxies;
pub mod proxy_response;
pub mod routes;
pub mod smuggling;
pub mod snapshot;
pub mod upstream_http2;
pub mod websocket;

use read::read;

/// A law: what it is called, and what runs one input.
pub type Law = (&'static str, fn(&[u8]));

/// All laws, by name.
pub const LAWS: [Law; 24] = [
    ("cache", cache::run),
    ("coding_accept", coding_accept::run),
    ("files_request", files_request::run),
    ("fleet_entries", fleet_entries::run),
    ("gain_records", gain_records::run),
    ("gcs_decode", gcs_decode::run),
    ("gcs_headers", gcs_headers::run),
    ("gcs_round_trip", gcs_round_trip::run),
    ("gcs_view_equals_set", gcs_view_equals_set::run),
    ("h2_connection", h2_connection::run),
    ("headstart_policy", headstart_policy::run),
    ("learn_delta", learn_delta::run),
    ("learn_operations", learn_operations::run),
    ("learn_restore", learn_restore::run),
    ("link", link::run),
    ("log_lines", log_lines::run),
    ("markup_read", markup_read::run),
    ("proxies", proxies::run),
    ("proxy_response", proxy_response::run),
    ("routes", routes::run),
    ("smuggling", smuggling::run),
    ("snapshot", snapshot::run),
    ("upstream_http2", upstream_http2::run),
    ("websocket", websocket::run),
];

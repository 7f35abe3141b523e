//! What several benchmarks share: the servers that Headstart is measured beside, and how they are measured.
//!
//! Each benchmark is a file of its own beside this one: `cargo xtask bench [AREA]`.
#![forbid(unsafe_code)]

pub mod peers;

//! The examples share nothing: each is one file to read from top to bottom. Run one with
//! `cargo run --package headstart-examples --example axum_app`.
#![forbid(unsafe_code)]

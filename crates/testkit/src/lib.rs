//! What the tests and benches of all crates share: HTTP/2 frames, clients that do as they are told, the program in a box,
//! browsers, and what stands behind a proxy.
//!
//! It depends on none of the project's crates, is not published, and panics where a test could only fail.
#![forbid(unsafe_code)]

pub mod app;
pub mod browser;
pub mod engine;
pub mod frames;
pub mod http1;
pub mod http2;
pub mod netlog;
mod peer;
mod program;
pub mod relay;
pub mod script;
pub mod tls;
pub mod tools;
pub mod upstream;

pub use peer::Peer;
pub use program::{PATIENCE, Program};

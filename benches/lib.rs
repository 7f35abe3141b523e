//! What several benchmarks share: the servers that Headstart is measured beside, how they are
//! measured, and a link with a delay and a rate.
//!
//! Each benchmark is a file of its own beside this one: `cargo xtask bench [AREA]`.
#![forbid(unsafe_code)]

pub mod attacks;
pub mod callgrind;
pub mod change;
pub mod gain;
pub mod in_memory;
pub mod link;
pub mod page_load;
pub mod pages;
pub mod peers;
pub mod plot;
pub mod rows;
pub mod soak;

//! What one client of the program can do to others, and may not: each test is one way that was open once.
#![forbid(unsafe_code)]

mod cached;
mod files;
mod forwarded;
mod learned;
mod observed;
mod rig;
mod sites;
mod upstreams;

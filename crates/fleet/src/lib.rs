//! Servers that learn as one.
//!
//! What visits say at one server is told to the others through an [`Exchange`]: Redis or Valkey, or a directory that they
//! share. Every server learns it as if the visits had been its own. Nothing waits for the exchange: one task tells and
//! hears, and while the exchange cannot be reached each server goes on alone.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod balance;
mod directory;
mod entry;
mod exchange;
mod figures;
mod fleet;
mod health;
mod keys;
mod member;
mod memory;
mod node;
mod open;
mod pace;
#[cfg(feature = "redis")]
mod redis;
mod refusal;
mod seal;
mod seen;
mod shared;
mod status;
mod survey;
mod telling;
mod url;
mod worker;

pub use crate::directory::Directory;
pub use crate::exchange::{Batch, Cursor, ErrorKind, Exchange, ExchangeError, Pending};
pub use crate::figures::Figures;
pub use crate::fleet::{Fleet, FleetError};
pub use crate::keys::{KeyError, Keys};
pub use crate::member::Member;
pub use crate::memory::Memory;
pub use crate::node::{Base, Heard, Node};
pub use crate::open::exchange_at;
pub use crate::refusal::Refusal;
pub use crate::status::{NodeStatus, Status, Traffic};

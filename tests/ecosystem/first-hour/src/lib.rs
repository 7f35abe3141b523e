//! Makes crates of the documentation's snippets, runs them and visits them. See `tests`.
#![forbid(unsafe_code)]

mod crates;
mod snippets;
mod visits;

pub use crates::Fresh;
pub use snippets::Snippets;
pub use visits::{Seen, visit};

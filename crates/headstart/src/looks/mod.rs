//! Looks at pages: what one finds, and what several agree on.

mod look;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod looks;

pub(crate) use look::Look;
pub(crate) use looks::{Looks, Seen};

#[cfg(test)]
mod tests;

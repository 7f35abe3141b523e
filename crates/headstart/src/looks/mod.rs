//! What looks at a page find, and what several of them agree on.

mod look;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod looks;

pub(crate) use look::Look;
pub(crate) use looks::{Looks, Seen};

//! Five pages that take twenty minutes: from an empty directory to a server in production.
//!
//! | page | answers |
//! |---|---|
//! | [`first_page`] | How does my application get its first push, 103 or `Link`? |
//! | [`decisions`] | How does it decide what to send, to whom, and by which way? |
//! | [`costs`] | What does it cost in time, memory, bytes and trust? |
//! | [`limits`] | When does it not help, and what says so? |
//! | [`production`] | What has to be set before strangers come? |
//!
//! Every snippet is compiled as a test of this crate. The examples of the repository show one need each, as whole programs.

#[doc = include_str!("first_page.md")]
pub mod first_page {}

#[doc = include_str!("decisions.md")]
pub mod decisions {}

#[doc = include_str!("costs.md")]
pub mod costs {}

#[doc = include_str!("limits.md")]
pub mod limits {}

#[doc = include_str!("production.md")]
pub mod production {}

//! Certificates by ACME (RFC 8555): ordered one by one, kept in the state directory, renewed in good time.
//!
//! * `challenges`, above this, holds what proves that a name is ours: over TLS (RFC 8737) and over plain HTTP (RFC 8555, section 8.3).
//! * [`Store`] keeps the account and the certificates, for their owner alone.
//! * `order` has one conversation with the authority, over `client`.
//! * `schedule` says when to renew, and when to try again.
//! * [`Acme`] is the task that does all of it.

mod client;
mod order;
mod schedule;
mod store;
mod task;

pub(crate) use store::Store;
pub(crate) use task::{Acme, directory};

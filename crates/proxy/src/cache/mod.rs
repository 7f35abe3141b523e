//! The shared response cache (RFC 9111): what may be kept is decided by `http-cache-semantics`, and by this:
//!
//! * Only 200 to GET, with a lifetime that the upstream gave. A guess from `Last-Modified` would keep a stylesheet for days
//!   after a deploy.
//! * Never with `Set-Cookie`, never where it varies by who asks, never for a request with `Authorization` or `Range`.
//! * A stale response is revalidated, by its validator if it has one ([`entry`]). It is shown meanwhile, or instead of an
//!   error, if the upstream says so (RFC 5861).
//! * Who asks for what somebody else is already asking for waits for that ([`fills`], [`lookup`]).

mod codings;
mod entry;
mod fills;
mod lookup;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use self::codings::normalise_codings;
pub(crate) use self::lookup::{Lookup, Noted, Storing, Target};
pub use self::store::Cache;

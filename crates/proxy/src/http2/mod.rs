//! HTTP/2 to a server, on the client half of the `h2` crate.
//!
//! * One connection carries the requests of many clients (`connection`), so none of them may hold up the others: the
//!   connection's window is larger than the windows of all its streams together, and the more streams are open in the
//!   process, the smaller their windows are (`window`).
//! * A client that leaves costs the server a reset only as long as the connection's budget of resets lasts (`resets`);
//!   beyond it the response is read and thrown away (`stream`).
//! * Interim responses are told of, uploads run in a task of their own (`upload`), tunnels are streams (`tunnel`).

mod body;
mod connection;
mod resets;
mod slot;
mod stream;
mod tunnel;
mod upload;
mod window;

pub(super) use body::Http2Body;
pub(super) use connection::{Http2, StreamPermit};
pub(super) use tunnel::TunnelStream;

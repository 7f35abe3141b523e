//! The driver against a peer that speaks raw frames: what no honest client sends, and what no client crate lets
//! one see. Time is paused where nothing real is waited for, so that "the server is quiet" is a fact and not a
//! guess, and timeouts of minutes take no time.

mod ahead;
mod budget;
mod conformance;
mod defects;
mod flood;
mod keep_alive;
mod limits;
mod order;
mod push;
mod random;
mod semantics;
mod server;
mod site;
mod stuck;
mod tunnel;
mod updates;
mod uploads;

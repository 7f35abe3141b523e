//! The real program, driven by real clients over real sockets.
//!
//! Each test starts its own server on a copy of the example site, or on a smaller one, and asks
//! `nghttp`, Node, curl and headless Chromium what they got. A client that is missing is said
//! loudly; with `CI=true` it is a failure. See [`rig::tools`].
#![forbid(unsafe_code)]

mod access_log;
mod admin;
mod beacon;
mod beacon_browser;
mod chromium;
mod dashboard;
mod deploy;
mod first_visits;
mod gate;
mod holdout;
mod hostile;
mod log;
mod proxied;
mod refusals;
mod restart;
mod returning;
mod rig;
mod unlearned;
mod words;
mod worth;

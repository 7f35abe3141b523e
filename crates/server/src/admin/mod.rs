//! The admin listener: metrics, health, what is known and why, and a dashboard, on a port of its own.
//!
//! It shows nothing of a page or an asset that the learner would not publish: below the network gate there are numbers, no
//! names. See [`ledger`] for how that is held to.

mod app;
mod config;
mod dashboard;
mod events;
mod explain;
mod gain;
mod guard;
mod health;
mod ledger;
mod listener;
mod median;
mod metrics;
mod monitor;
mod routes;
mod sources;
mod state;

pub(crate) use self::config::Config;
pub(crate) use self::gain::{Gain, QUANTILES, rows};
pub(crate) use self::health::Health;
pub(crate) use self::ledger::{Figures, Ledger, Saved};
pub(crate) use self::monitor::Monitor;
pub(crate) use self::sources::{Measurement, Origins};

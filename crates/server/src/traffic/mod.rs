//! Responses as they go by: counted and timed for the metrics, and noted for the access log.
//!
//! [`Watched`] stands around the service that answers, below the engine: it sees each request that the service is asked,
//! those for pushes too, and each body until its last byte.

mod body;
mod counters;
mod histogram;
mod layer;
mod open;

pub(crate) use self::counters::Counters;
pub(crate) use self::histogram::HistogramReading;
pub(crate) use self::layer::Watched;
pub(crate) use self::open::Watch;

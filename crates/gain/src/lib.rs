//! Measures what early delivery is worth, by comparing views that got help with hold-outs.
//!
//! [`extra_bytes`] gives what the help costs in bytes. What was measured is written and read as bytes (`write` and `read` of
//! [`Sketch`], [`Arms`] and [`Strata`]) and adds up with what other servers measured, in any order.
//!
//! The caller adds one [`Observation`] for each view to the [`Arms`] of its stratum. [`compare`] puts the
//! strata together and gives the [`Difference`] of the two arms at a quantile, with an interval that stays
//! valid however often it is looked at.
//!
//! # Trade-offs
//!
//! **Binned.** A time is known to 4.4 % and interpolated inside its bin. A sketch takes ten bytes for each bin that
//! was seen, however many views it holds.
//!
//! **Wide.** An interval that may be looked at every day is 1.56 times as wide as one for a single look
//! that was fixed beforehand.
//!
//! **One client, one voice.** Views of one client on one day are taken to say the same. Where clients view many
//! pages a day, intervals are wider than they would have to be, and never too narrow.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod arms;
mod bins;
mod boundary;
mod difference;
mod extra;
mod mixture;
mod record;
mod sketch;
mod strata;
mod volume;
mod weight;

pub use crate::arms::{Arm, Arms};
pub use crate::bins::{BINS, bounds};
pub use crate::boundary::{Look, critical_value};
pub use crate::difference::{Difference, ENOUGH, compare};
pub use crate::extra::{ExtraBytes, extra_bytes};
pub use crate::record::{RecordError, read_number, write_number};
pub use crate::sketch::{Observation, Sketch};
pub use crate::strata::Strata;
pub use crate::volume::{Volume, VolumeSums};
pub use crate::weight::Weight;

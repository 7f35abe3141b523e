//! Learns from the `Referer` of ordinary traffic which assets a page pulls in.
//!
//! Tell a [`Learner`] of navigations and fetches; ask it for the [`Plan`] of a page.
//! Weights halve every half-life, but the last thirty visits that said something are kept: silence is no
//! evidence. Memory is bounded, and one network has one voice.
//! No I/O, no clock, no threads: time is an argument, requests are plain values.
//!
//! # Trade-offs
//!
//! **Late rather than wrong.** Nothing is planned before three networks have asked for
//! it; the first visitors of a page get nothing early, or what its template suggests.
//!
//! **Hashes, not names.** Two names with the same 64-bit keyed hash are one. What has
//! not passed the network gate cannot be named, not even to the operator.
//!
//! **Networks are all the identity there is.** Who commands as many networks as the
//! gate asks for can plant, with full visits that are most of a page's, any asset that the server itself
//! answers with 200; with half of them the page loses its plan, for what never occurs
//! together is not planned. Fewer networks cannot.
//!
//! **A plan may be a minute old.** Coarser levels and age change a plan without a visit;
//! that is taken in once a minute. What is new on a page, a hold-out, changed metadata and assets that are gone
//! or renamed are taken in at once, other visits when they are 1/16 of all visits of a page.
//!
//! **Some views get nothing.** What was sent early says nothing of what a page needs by itself: one view
//! in 64 is to be held out where all is settled, up to one in 4 where little is known, that is old, or
//! the latest contradict the plan, and one in 16 of a site's views at most.
//!
//! ```
//! use headstart_learn::*;
//! // A single developer is a single network.
//! let config = Config::builder().min_networks(1).vote_interval(std::time::Duration::ZERO).build()?;
//! let learner = Learner::new(config);
//! let site = learner.site("example.org").ok_or("no room for another site")?;
//!
//! for visitor in 1..=3 {
//!     let now = Time::from_millis(visitor * 1000);
//!     let (client, connection) = (ClientId::new(visitor), Some(ConnectionId::new(visitor)));
//!     let visit = learner.navigate(now, &Navigation {
//!         site, page: Page::from("/"), client, connection, network: NetworkId::new(7),
//!         class: ClientClass::Other, cache: CacheState::Told,
//!     });
//!     learner.confirm(now, visit, ReferrerPolicy::Unknown);
//!     learner.fetched(now, &Fetch {
//!         site, client, connection, referrer: Referrer::Path("/"), asked: now, urgency: None,
//!         fetched: Fetched::Full(Asset {
//!             path: "/style.css", destination: Destination::Style, cors: false, bytes: 1200,
//!             validator: 1, freshness: Freshness::Fresh, personal: false,
//!         }),
//!     });
//! }
//! let now = Time::from_millis(60_000);
//! learner.finish(now);
//! let plan = learner.plan(now, site, Page::from("/"), ClientClass::Other);
//! assert_eq!(&*plan[0].path, "/style.css");
//! assert!(plan[0].probability > 0.8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `serde`: plans, explanations, lists of pages and counts are `Serialize`; names are in snake case, durations in seconds and
//! nanoseconds. What is learned itself is read and written by [`Learner::snapshot`] and [`Learner::restore`].

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod accumulator;
mod alternatives;
mod asset;
mod assets;
mod attribution;
mod candidate;
mod clock;
mod config;
mod cursor;
mod decay;
mod delta;
mod destination;
mod directory;
mod dissent;
mod edge;
mod estimate;
mod explain;
mod holdouts;
mod identity;
mod keymap;
mod keys;
mod learner;
mod level;
mod level_name;
mod merge;
mod metadata;
mod model;
mod names;
mod networks;
mod newcomers;
mod node;
mod nodes;
mod observation;
mod orphans;
mod page;
mod page_reasons;
mod pages;
mod plan;
mod planner;
mod plans;
mod published;
mod query;
mod record;
mod rename;
mod returning;
#[cfg(feature = "serde")]
mod serde;
mod site;
mod sites;
mod sketch;
mod slab;
mod slots;
mod snapshot;
mod standing;
mod stats;
mod sync;
mod time;
mod timeline;
mod told;
mod tombstone;
mod verdict;
mod visit;
mod visit_evidence;
mod visits;
mod votes;
mod witnesses;

pub use crate::asset::{Asset, Freshness};
pub use crate::candidate::{Candidate, Known};
pub use crate::config::{Config, ConfigBuilder, ConfigError};
pub use crate::destination::Destination;
pub use crate::explain::{AssetWeight, Explanation, Knowledge, LevelWeight};
pub use crate::identity::{ClientId, ConnectionId, NetworkId};
pub use crate::learner::{Delta, DeltaError, Learned, Learner, Outbound};
pub use crate::level::Level;
pub use crate::merge::Merged;
pub use crate::observation::{
    CacheState, ClientClass, Delivery, Draw, Fetch, Fetched, Navigation, Referrer, ReferrerPolicy, Refused, Visit,
};
pub use crate::page::Page;
pub use crate::pages::{PageWeight, Pages};
pub use crate::plan::Plan;
pub use crate::site::{Shown, Site};
pub use crate::snapshot::SnapshotError;
pub use crate::stats::{PageReasons, Reasons, Stats};
pub use crate::time::Time;
pub use crate::verdict::Verdict;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

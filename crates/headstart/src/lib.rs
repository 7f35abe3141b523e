#![cfg_attr(feature = "serve", doc = include_str!("lib.md"))]
#![cfg_attr(not(feature = "serve"), doc = "Learned, cache-aware push and early hints: the engine and its tower layer.")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod activity;
#[cfg(feature = "serve")]
mod admission;
mod arrival;
mod asset_exchange;
mod assets;
mod attributes;
mod beacon;
mod build_error;
mod builder;
mod caching;
mod channels;
mod client_cache;
mod client_hints;
mod client_says;
mod commit;
mod conditions;
#[cfg(feature = "serve")]
mod connection;
mod connection_policy;
mod connection_state;
#[cfg(feature = "serve")]
mod connections;
mod cookie;
mod cookie_format;
mod cookie_networks;
mod decided;
mod digests;
mod engine;
mod event;
mod exchange;
mod fingerprint;
mod forwarded;
mod freshness;
#[cfg(feature = "serve")]
pub mod guide;
mod headstart;
mod hint_support;
mod hinted;
mod holdout;
mod identity;
mod item;
mod items;
#[cfg(feature = "fleet")]
mod joining;
#[cfg_attr(not(feature = "fleet"), allow(dead_code))]
mod key_ring;
mod layer;
mod link;
mod link_value;
#[cfg(feature = "markup")]
mod looks;
mod markup_settings;
#[cfg(feature = "fleet")]
mod membership;
mod need;
mod observed_body;
mod open_exchange;
mod open_views;
mod page_exchange;
mod page_policy;
mod page_target;
mod pages;
mod personal;
mod pushing;
#[cfg(feature = "markup")]
mod reading;
mod referrer_policy;
mod request;
mod requester;
mod response;
mod rules;
mod saver;
mod saving;
#[cfg(feature = "serve")]
mod serving;
#[cfg(feature = "serve")]
mod serving_limits;
#[cfg(feature = "serve")]
mod serving_settings;
mod state;
mod state_file;
mod statements;
mod stats;
mod stopwatch;
mod take_beacon;
mod transfer;
mod unlearned;
mod unserved;
mod view;

#[cfg(feature = "fleet")]
pub use headstart_fleet as fleet;
pub use headstart_gcs as gcs;
#[cfg(feature = "serve")]
pub use headstart_h2 as h2;
pub use headstart_learn as learn;
pub use headstart_learn::Destination;
pub use headstart_policy as policy;
pub use ipnet::IpNet;

pub use crate::assets::Assets;
pub use crate::beacon::{
    BEACON_PATH, BEACON_PREFIX, BEACON_SCRIPT, BEACON_SCRIPT_PATH, BeaconRefusal, BeaconReport, BeaconStats,
    MAX_BEACON_BYTES, RoundTrip,
};
pub use crate::build_error::BuildError;
pub use crate::builder::Builder;
#[cfg(feature = "serve")]
pub use crate::connection::{Connection, TlsInfo};
pub use crate::connection_policy::{ConnectionPolicy, PolicyExchange};
pub use crate::cookie_format::CookieFormat;
pub use crate::decided::{Decided, DecidedCounts};
pub use crate::engine::VerifyHeld;
pub use crate::event::{Arrival, Event, PushOutcome, PushReport, VisitReport, VisitedAsset};
pub use crate::forwarded::ForwardedBy;
pub use crate::headstart::Headstart;
pub use crate::item::Push as PolicyPush;
pub use crate::layer::{HeadstartFuture, HeadstartLayer, HeadstartService};
pub use crate::markup_settings::Markup;
pub use crate::observed_body::ObservedBody;
#[cfg(feature = "markup")]
pub use crate::reading::ReadingStats;
pub use crate::rules::{Action, Budget, Rule, RuleError, Rules};
#[cfg(feature = "serve")]
pub use crate::serving::{
    Body, BodyError, ClonedService, HttpService, Listener, MadeService, MakeConnectionService, PacedTcp, Serve,
};
pub use crate::state::SnapshotError;
pub use crate::stats::Stats;
pub use crate::unlearned::{Diagnosis, Unlearned, UnlearnedCounts};
pub use crate::view::{AssetView, Decision, KnowledgeText, Outlet, PageView, Reason};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

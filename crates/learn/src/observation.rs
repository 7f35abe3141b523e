//! Observations that a caller reports: navigations, fetches, deliveries.

use std::time::Duration;

use crate::asset::Asset;
use crate::identity::{ClientId, ConnectionId, NetworkId};
use crate::page::Page;
use crate::site::Site;
use crate::time::Time;

/// A handle to an open visit. A handle to a visit that has closed does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Visit {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// A navigation request whose head has arrived.
#[derive(Clone, Copy, Debug)]
pub struct Navigation<'a> {
    /// The site asked.
    pub site: Site,
    /// The page asked for.
    pub page: Page<'a>,
    /// The client that asked.
    pub client: ClientId,
    /// From which network.
    pub network: NetworkId,
    /// On which connection; `None` where connections say nothing of clients, as behind a proxy.
    pub connection: Option<ConnectionId>,
    /// The kind of device that asked.
    pub class: ClientClass,
    /// Knowledge of the client's cache.
    pub cache: CacheState,
}

/// A class of clients for which a page may need other assets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientClass {
    /// Any other device, or one that is not known.
    #[default]
    Other,
    /// A phone: `Sec-CH-UA-Mobile: ?1`, or a user agent that says so.
    Phone,
}

/// Knowledge of a client's cache when it navigates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheState {
    /// The caller says with [`Learner::hold`](crate::Learner::hold) what the client holds; what it does
    /// not name, the client does not hold.
    #[default]
    Told,
    /// Nothing is known. The first such view of a client within a day counts in full; those after
    /// it say only which assets are needed, for what is not fetched may be held.
    Unknown,
}

/// Whether a view was drawn to get nothing early, and how likely that was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draw {
    /// The chance of being held out that the view had; 0 to 1.
    pub chance: f32,
    /// Whether it is held out: nothing is delivered early.
    pub held_out: bool,
}

/// The part of a page's URL that its requests carry in their `Referer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReferrerPolicy {
    /// Path and query, to this site at least.
    Full,
    /// The origin alone, or nothing.
    Origin,
    /// The response did not say.
    #[default]
    Unknown,
}

/// An asset that was asked for and answered with a learnable response.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// The site asked.
    pub site: Site,
    /// The asset that was fetched.
    pub fetched: Fetched<'a>,
    /// The page that the request named.
    pub referrer: Referrer<'a>,
    /// The client that asked.
    pub client: ClientId,
    /// On which connection; `None` where connections say nothing of clients.
    pub connection: Option<ConnectionId>,
    /// When the request arrived, which may be long before its answer.
    pub asked: Time,
    /// The urgency that the client gave the request (RFC 9218), 0 to 7; `None` if it gave none.
    pub urgency: Option<u8>,
}

/// An asset that was asked for and answered with a response that may not be learned.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The site asked.
    pub site: Site,
    /// What the request said it came from.
    pub referrer: Referrer<'a>,
    /// Who asked.
    pub client: ClientId,
    /// On which connection; `None` where connections say nothing of clients.
    pub connection: Option<ConnectionId>,
    /// When the request arrived.
    pub asked: Time,
    /// A number of the caller's for the reason, below 16.
    pub reason: u8,
}

/// How a fetch was answered.
#[derive(Clone, Copy, Debug)]
pub enum Fetched<'a> {
    /// With the asset.
    Full(Asset<'a>),
    /// With 304: the page needs the asset of this path with query, and the client held it.
    NotModified(&'a str),
}

impl Fetched<'_> {
    pub(crate) fn path(&self) -> &str {
        match self {
            Fetched::Full(asset) => asset.path,
            Fetched::NotModified(path) => path,
        }
    }
}

/// The `Referer` of a request, as far as it concerns this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referrer<'a> {
    /// None was sent.
    Absent,
    /// Only the origin was sent, and it is this site's.
    Origin,
    /// Path and query, as sent, on this site: of a page, or of a stylesheet or script.
    Path(&'a str),
}

/// How an asset reached a client without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Not sent: the client is known to hold it.
    Held,
    /// Named in a 103 or a `Link`; a browser then asks for it whether or not the page needs it.
    Hinted,
    /// Pushed.
    Pushed,
}

/// A page is silent when so much time has passed since the last byte of it and its assets:
/// what is asked for later is asked for by a click, a scroll or a timer.
pub(crate) const SILENCE: Duration = Duration::from_millis(1_500);

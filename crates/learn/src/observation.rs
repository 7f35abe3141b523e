//! What the caller tells the learner: navigations, fetches, deliveries.

use crate::destination::Destination;

/// A client, as a number that the caller makes, with a keyed hash, of what it
/// knows: address and user agent, say. The learner never sees an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(pub u64);

/// A client's network (an IPv4 /24 or an IPv6 /56), as a keyed hash by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkId(pub u64);

/// A connection: any number that no other connection had lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub u64);

/// A site (an authority), from [`Learner::site`](crate::Learner::site).
///
/// Only meaningful to the learner that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    pub(crate) index: u16,
    /// Keyed hash of the authority: the salt of every name on the site.
    pub(crate) salt: u64,
}

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
    /// The normalised path, without the query unless the caller allows one.
    pub page: &'a str,
    /// Who asked.
    pub client: ClientId,
    /// From which network.
    pub network: NetworkId,
    /// On which connection.
    pub connection: ConnectionId,
    /// Whether nothing will be delivered early on this visit, so that it is unbiased.
    pub holdout: bool,
}

/// An asset that was asked for and answered with a learnable response.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// The site asked.
    pub site: Site,
    /// What was fetched.
    pub asset: Asset<'a>,
    /// What the request said it came from.
    pub referrer: Referrer<'a>,
    /// Who asked.
    pub client: ClientId,
    /// On which connection.
    pub connection: ConnectionId,
}

/// The `Referer` of a request, as far as it concerns this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referrer<'a> {
    /// None was sent.
    Absent,
    /// Only the origin was sent, and it is this site's.
    Origin,
    /// A path on this site: of a page (query dropped) or of a stylesheet or script.
    Path(&'a str),
}

/// An asset and what its response said about it.
#[derive(Clone, Copy, Debug)]
pub struct Asset<'a> {
    /// The path with its query.
    pub path: &'a str,
    /// What it was fetched as.
    pub destination: Destination,
    /// Whether the request mode was `cors`; a preload must then say `crossorigin`.
    pub cors: bool,
    /// Length of the body in bytes; 0 if unknown.
    pub bytes: u64,
    /// The caller's hash of ETag, Last-Modified or length; 0 if unknown.
    pub validator: u64,
    /// How long the response may be used.
    pub freshness: Freshness,
}

/// How long a response may be used by the client that has it (RFC 9111, section 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Not without asking: `no-cache`, `max-age=0`, or nothing said of it. A browser that
    /// is hinted to it in a 103 asks for it twice.
    #[default]
    Stale,
    /// For some time.
    Fresh,
    /// For ever: it never changes (RFC 8246).
    Immutable,
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

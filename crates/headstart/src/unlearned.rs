//! Why responses and views teach nothing, counted by reason.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use headstart_learn::{NetworkId, PageReasons};

/// Why a response, or a request, teaches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unlearned {
    /// The request names the client of a proxy that is not trusted, while one network is enough to teach: the client
    /// would teach all others under the proxy's address.
    Forwarded,
    /// The media type is none of an asset: style, script, font or image.
    MediaType,
    /// The request came without the address of its client, to a layer ([`Headstart::layer`](crate::Headstart::layer)).
    NoAddress,
    /// `Cache-Control: no-store`.
    NoStore,
    /// `Cache-Control: private`.
    Private,
    /// The `Referer` names another site or is malformed.
    Referer,
    /// The response sets a cookie.
    SetCookie,
    /// There is no room for another site ([`Builder::hosts`](crate::Builder::hosts)).
    SiteTable,
    /// `Vary` names a field that differs between clients, such as `Cookie`.
    Vary,
}

impl Unlearned {
    /// All reasons, in order of their names.
    pub const ALL: [Unlearned; 9] = [
        Unlearned::Forwarded,
        Unlearned::MediaType,
        Unlearned::NoAddress,
        Unlearned::NoStore,
        Unlearned::Private,
        Unlearned::Referer,
        Unlearned::SetCookie,
        Unlearned::SiteTable,
        Unlearned::Vary,
    ];

    /// A short name for metrics, such as `set_cookie`.
    pub const fn name(self) -> &'static str {
        match self {
            Unlearned::Forwarded => "forwarded",
            Unlearned::MediaType => "media_type",
            Unlearned::NoAddress => "no_address",
            Unlearned::NoStore => "no_store",
            Unlearned::Private => "private",
            Unlearned::Referer => "referer",
            Unlearned::SetCookie => "set_cookie",
            Unlearned::SiteTable => "site_table",
            Unlearned::Vary => "vary",
        }
    }
}

impl fmt::Display for Unlearned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unlearned::Forwarded => "a proxy that is not trusted forwarded it",
            Unlearned::MediaType => "its media type is none of an asset",
            Unlearned::NoAddress => "it came without the address of its client",
            Unlearned::NoStore => "its response says Cache-Control: no-store",
            Unlearned::Private => "its response says Cache-Control: private",
            Unlearned::Referer => "its Referer names another site",
            Unlearned::SetCookie => "its response sets a cookie",
            Unlearned::SiteTable => "there is no room for another site",
            Unlearned::Vary => "its response varies by a field that differs between clients",
        })
    }
}

/// How often each reason applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnlearnedCounts([u64; Unlearned::ALL.len()]);

impl UnlearnedCounts {
    /// How often this reason applied.
    pub fn get(&self, reason: Unlearned) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or_default()
    }

    /// The reasons with their counts, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (Unlearned, u64)> + '_ {
        Unlearned::ALL.into_iter().map(|reason| (reason, self.get(reason)))
    }
}

impl From<&PageReasons> for UnlearnedCounts {
    /// Why assets of one page taught nothing.
    fn from(page: &PageReasons) -> Self {
        let mut counts = Self::default();
        counts.0.iter_mut().zip(page.refused).for_each(|(count, refused)| *count = refused);
        counts
    }
}

/// Networks of an hour that are counted one by one. Views of others count in the sum only.
const MAX_NETWORKS: usize = 64;
/// The least number of views in an hour about which something is said.
const MIN_VIEWS: u64 = 20;

/// Counts by reason since the start, and what has been seen since the last [`Diagnosis`].
#[derive(Default)]
pub(crate) struct Ledger {
    reasons: [AtomicU64; Unlearned::ALL.len()],
    /// Responses that were looked at as assets.
    assets: AtomicU64,
    hour: Mutex<Hour>,
}

/// Counts since the last diagnosis.
#[derive(Default)]
struct Hour {
    views: u64,
    networks: HashMap<NetworkId, u64>,
    /// The counts when it began.
    reasons: UnlearnedCounts,
    assets: u64,
}

impl Ledger {
    pub(crate) fn count(&self, reason: Unlearned) {
        if let Some(count) = self.reasons.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The response to a request that may be for an asset is known.
    pub(crate) fn count_asset(&self) {
        self.assets.fetch_add(1, Ordering::Relaxed);
    }

    /// A page was shown to a client on this network.
    pub(crate) fn count_view(&self, network: NetworkId) {
        let mut hour = self.hour.lock().unwrap_or_else(PoisonError::into_inner);
        hour.views += 1;
        let room = hour.networks.len() < MAX_NETWORKS;
        match hour.networks.get_mut(&network) {
            Some(views) => *views += 1,
            None if room => {
                hour.networks.insert(network, 1);
            }
            None => {}
        }
    }

    pub(crate) fn counts(&self) -> UnlearnedCounts {
        let mut counts = UnlearnedCounts::default();
        for (count, reason) in counts.0.iter_mut().zip(&self.reasons) {
            *count = reason.load(Ordering::Relaxed);
        }
        counts
    }

    /// The reason that kept most of the views or assets since the last call from being learned, where `min_networks` networks are
    /// needed. Begins anew.
    pub(crate) fn diagnose(&self, min_networks: u32) -> Option<Diagnosis> {
        let (reasons, assets) = (self.counts(), self.assets.load(Ordering::Relaxed));
        let mut hour = self.hour.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *hour, Hour { reasons, assets, ..Hour::default() });
        drop(hour);
        let since = |reason| reasons.get(reason).saturating_sub(before.reasons.get(reason));
        let without_address = since(Unlearned::NoAddress);
        if without_address >= MIN_VIEWS {
            return Some(Diagnosis(Cause::NoAddress { requests: without_address }));
        }
        let forwarded = since(Unlearned::Forwarded);
        if forwarded >= MIN_VIEWS {
            return Some(Diagnosis(Cause::Forwarded { requests: forwarded }));
        }
        let without_site = since(Unlearned::SiteTable);
        if without_site > 0 {
            return Some(Diagnosis(Cause::SiteTable { views: without_site }));
        }
        let views = before.views;
        let largest = before.networks.values().copied().max().unwrap_or_default();
        if min_networks > 1 && views >= MIN_VIEWS && largest * 10 >= views * 9 {
            return Some(Diagnosis(Cause::OneNetwork { of: largest, views, min_networks }));
        }
        let assets = assets.saturating_sub(before.assets);
        let (reason, of) =
            Unlearned::ALL.map(|reason| (reason, since(reason))).into_iter().max_by_key(|(_, of)| *of)?;
        (assets >= MIN_VIEWS && of * 2 > assets).then_some(Diagnosis(Cause::Reason { reason, of, assets }))
    }
}

/// The reason that kept most of the recent views or assets from being learned. `Display` is one line for a log, which says
/// what to do about it. Made by [`Headstart::diagnose`](crate::Headstart::diagnose).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnosis(Cause);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Forwarded { requests: u64 },
    NoAddress { requests: u64 },
    OneNetwork { of: u64, views: u64, min_networks: u32 },
    Reason { reason: Unlearned, of: u64, assets: u64 },
    SiteTable { views: u64 },
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Forwarded { requests } => write!(
                f,
                "{requests} requests came through a proxy that is not trusted: nothing is learned from them; is the \
                 proxy yours? Then name its address in trusted_proxies"
            ),
            Cause::NoAddress { requests } => write!(
                f,
                "{requests} requests came without the address of their client: nothing is learned from them; insert \
                 headstart::policy::Peer into their extensions, or set HeadstartLayer::client_address"
            ),
            Cause::OneNetwork { of, views, min_networks } => write!(
                f,
                "{of} of {views} views came from one network, and an asset is learned once {min_networks} networks \
                 needed it; is there a proxy in front? Then name its address in trusted_proxies"
            ),
            Cause::SiteTable { views } => write!(
                f,
                "there was no room for the sites of {views} views: nothing is learned of them; name the sites that \
                 are yours in the configuration: these always have a place"
            ),
            Cause::Reason { reason, of, assets } => {
                write!(f, "{of} of {assets} requests for assets taught nothing: {reason}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ledger: &Ledger) -> String {
        ledger.diagnose(3).map(|diagnosis| diagnosis.to_string()).unwrap_or_default()
    }

    #[test]
    fn names_and_indexes_agree() {
        let ledger = Ledger::default();
        for (at, reason) in Unlearned::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            assert!(at < PageReasons::default().refused.len(), "the learner counts it by page");
            (0..=at).for_each(|_| ledger.count(reason));
        }
        assert!(ledger.counts().iter().map(|(_, count)| count).eq(1..=Unlearned::ALL.len() as u64));
        assert!(Unlearned::ALL.map(Unlearned::name).is_sorted());
    }

    #[test]
    fn one_network_is_said_once_and_with_its_cure() {
        let ledger = Ledger::default();
        (0..412).for_each(|_| ledger.count_view(NetworkId::new(1)));
        (2..10).for_each(|network| ledger.count_view(NetworkId::new(network)));
        let said = line(&ledger);
        assert!(
            said.starts_with("412 of 420 views came from one network") && said.contains("trusted_proxies"),
            "{said}"
        );
        assert_eq!(line(&ledger), "", "the next hour begins with nothing");
    }

    #[test]
    fn many_networks_and_few_views_are_no_news() {
        let ledger = Ledger::default();
        (0..1_000).for_each(|network| ledger.count_view(NetworkId::new(network)));
        assert_eq!(line(&ledger), "");
        (0..MIN_VIEWS - 1).for_each(|_| ledger.count_view(NetworkId::new(1)));
        assert_eq!(line(&ledger), "");
        (0..100).for_each(|_| ledger.count_view(NetworkId::new(1)));
        assert!(ledger.diagnose(1).is_none(), "one network is enough");
    }

    #[test]
    fn a_reason_that_concerns_most_assets_is_said() {
        let ledger = Ledger::default();
        for n in 0..100 {
            ledger.count_asset();
            if n < 51 {
                ledger.count(Unlearned::SetCookie);
            }
        }
        assert_eq!(line(&ledger), "51 of 100 requests for assets taught nothing: its response sets a cookie");
        for n in 0..100 {
            ledger.count_asset();
            if n < 50 {
                ledger.count(Unlearned::Vary);
            }
        }
        assert_eq!(line(&ledger), "", "half is not most");
    }

    #[test]
    fn a_site_without_a_place_is_said() {
        let ledger = Ledger::default();
        (0..2).for_each(|_| ledger.count(Unlearned::SiteTable));
        assert!(line(&ledger).starts_with("there was no room for the sites of 2 views"));
    }

    #[test]
    fn requests_without_an_address_are_said() {
        let ledger = Ledger::default();
        (0..30).for_each(|_| ledger.count(Unlearned::NoAddress));
        let said = line(&ledger);
        assert!(said.starts_with("30 requests came without the address") && said.contains("client_address"), "{said}");
    }

    #[test]
    fn an_untrusted_proxy_is_said_first() {
        let ledger = Ledger::default();
        (0..30).for_each(|_| ledger.count(Unlearned::Forwarded));
        assert!(line(&ledger).starts_with("30 requests came through a proxy that is not trusted"));
    }
}

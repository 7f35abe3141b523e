//! Requests for assets that teach nothing: counted for the page that they are of.

use super::Learner;
use crate::attribution::{Named, Requester, Unattributed, attribute};
use crate::clock::Tick;
use crate::identity::{ClientId, ConnectionId};
use crate::observation::{Fetch, Referrer, Refused};
use crate::page_reasons::Cause;
use crate::site::Site;
use crate::sync::{Ordering, lock};
use crate::time::Time;

/// What says to which visit a request for an asset belongs.
pub(super) struct Asking<'a> {
    site: Site,
    referrer: Referrer<'a>,
    client: ClientId,
    connection: Option<ConnectionId>,
    asked: Time,
}

impl<'a> From<&Fetch<'a>> for Asking<'a> {
    fn from(of: &Fetch<'a>) -> Self {
        Self { site: of.site, referrer: of.referrer, client: of.client, connection: of.connection, asked: of.asked }
    }
}

impl<'a> From<&Refused<'a>> for Asking<'a> {
    fn from(of: &Refused<'a>) -> Self {
        Self { site: of.site, referrer: of.referrer, client: of.client, connection: of.connection, asked: of.asked }
    }
}

impl Learner {
    /// An asset was asked for and answered with a response that may not be learned. It is counted for the page of the visit
    /// that the request belongs to, if it belongs to any: see [`Explanation::reasons`](crate::Explanation::reasons). O(1).
    pub fn refused(&self, now: Time, refused: &Refused<'_>) {
        let tick = self.tick(now);
        let request = self.requester(tick, now, &Asking::from(refused));
        let mut visits = lock(&self.visits);
        if let Ok((visit, _)) = attribute(&visits, &request) {
            visits.update(visit, |visit| {
                if let Some(count) = visit.refused.get_mut(usize::from(refused.reason)) {
                    *count = count.saturating_add(1);
                }
            });
        }
    }

    /// A request in hashes, with the caller's time of asking by the learner's clock, which is `tick` at the caller's `now`.
    pub(super) fn requester(&self, tick: Tick, now: Time, asking: &Asking<'_>) -> Requester {
        Requester {
            site: asking.site,
            client: asking.client.get(),
            connection: asking.connection.map(ConnectionId::get),
            referrer: self.named(asking.site, asking.referrer),
            asked: Tick(tick.0.saturating_sub(now.as_millis().saturating_sub(asking.asked.as_millis()))),
        }
    }

    /// Counts a request that belongs to no visit, for the page that it names.
    pub(super) fn count_unattributed(&self, reason: Unattributed, referrer: Named) {
        let [none, several] = &self.unattributed;
        let (count, cause) = match reason {
            Unattributed::NoVisit => (none, Cause::NoVisit),
            Unattributed::Ambiguous => (several, Cause::Ambiguous),
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Named::Path { page, .. } = referrer {
            lock(&self.model).reasons_mut().count(page, cause, 1);
        }
    }
}

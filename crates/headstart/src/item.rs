//! One asset of a page view, and the name of its push.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use headstart_learn::{Candidate, Destination, Freshness};
use http::HeaderValue;

use crate::attributes::Attributes;
use crate::link;
use crate::need::{Need, Says};
use crate::page_policy::{Admission, PagePolicy};
use crate::view::Decision;

/// The driver's name for one push.
pub(crate) type Tag = Arc<Push>;

/// One push of a [`ConnectionPolicy`](crate::ConnectionPolicy), as it is known after its page is gone.
#[derive(Debug)]
pub struct Push {
    /// Its place among the items.
    pub(crate) item: usize,
    /// Number of the view that it belongs to, on its connection.
    pub(crate) view: u64,
    pub(crate) authority: Arc<str>,
    pub(crate) page: Arc<str>,
    pub(crate) asset: Arc<str>,
    pub(crate) bytes: AtomicU64,
}

/// One asset of the view.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "facts of an asset, independent of each other")]
pub(crate) struct Item {
    pub(crate) path: Arc<str>,
    pub(crate) destination: Destination,
    pub(crate) cors: bool,
    pub(crate) bytes: u64,
    pub(crate) validator: u64,
    pub(crate) freshness: Freshness,
    /// The urgency (RFC 9218) that browsers give it by themselves, if that is known.
    pub(crate) learned_urgency: Option<u8>,
    pub(crate) need: Need,
    pub(crate) decision: Decision,
    /// The attributes of its hint.
    pub(crate) attributes: Arc<Attributes>,
    /// The page or its application names it and the learner does not: the page itself makes the client ask for it, and
    /// the request is evidence, hinted or not.
    pub(crate) own_words: bool,
    /// Not to be pushed to this client, even if it turns out that what it holds has changed.
    pub(crate) barred: bool,
    /// The driver was asked to push or verify it.
    pub(crate) promised: bool,
}

impl Item {
    /// An asset that is named by others than the learner. How fresh its last answer was decides whether a 103 may name
    /// it.
    pub(crate) fn named(
        path: Arc<str>,
        destination: Destination,
        attributes: Arc<Attributes>,
        fresh: Freshness,
    ) -> Self {
        let (bytes, validator, freshness) = (0, 0, fresh);
        let cors = attributes.is_cors();
        Item {
            path,
            destination,
            cors,
            bytes,
            validator,
            freshness,
            learned_urgency: None,
            need: Need::of(None, destination, cors, Says::Nothing),
            decision: Decision::Held,
            attributes,
            own_words: true,
            barred: false,
            promised: false,
        }
    }

    pub(crate) fn learned(candidate: &Candidate) -> Self {
        Item {
            path: Arc::clone(&candidate.path),
            destination: candidate.destination,
            cors: candidate.cors,
            bytes: candidate.bytes,
            validator: candidate.validator,
            freshness: candidate.freshness,
            learned_urgency: candidate.urgency,
            need: Need::of(candidate.urgency, candidate.destination, candidate.cors, Says::Nothing),
            decision: Decision::Held,
            attributes: Attributes::of_mode(candidate.destination, candidate.cors),
            own_words: false,
            barred: false,
            promised: false,
        }
    }

    /// Whether the page's policies admit a hint of it at all, if only with a nonce or its `integrity`.
    pub(crate) fn is_admitted(&self, policy: PagePolicy) -> bool {
        policy.admission(self.destination) != Admission::Not
            && (!policy.wants_integrity(self.destination) || self.attributes.integrity.is_some())
    }

    /// The field value of a hint, with the nonce of the response that carries it.
    pub(crate) fn link(&self, nonce: Option<&str>) -> Option<HeaderValue> {
        let own = &*self.attributes;
        let low;
        let attributes = if own.fetch_priority.is_none() && self.need.is_overrated(self.destination) {
            low = Attributes { fetch_priority: Some("low"), ..own.clone() };
            &low
        } else {
            own
        };
        link::preload(&self.path, self.destination, attributes, nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_of_scripts_and_styles_that_nobody_waits_for() {
        let link = |destination, urgency| {
            let item = Item::named("/a".into(), destination, Arc::default(), Freshness::Fresh);
            let need = Need::of(Some(urgency), destination, false, Says::Nothing);
            let field = Item { need, ..item }.link(None).unwrap();
            field.to_str().unwrap().contains("; fetchpriority=low")
        };
        assert!(link(Destination::Script, 3) && link(Destination::Style, 5));
        assert!(!link(Destination::Script, 1) && !link(Destination::Script, 2) && !link(Destination::Style, 1));
        assert!(!link(Destination::Image, 3), "that is what browsers give to images by themselves");
    }

    #[test]
    fn what_the_page_says_of_the_priority_stays() {
        let attributes = Attributes { fetch_priority: Some("high"), ..Attributes::default() };
        let item = Item::named("/a.js".into(), Destination::Script, attributes.into(), Freshness::Fresh);
        let need = Need::of(Some(3), Destination::Script, false, Says::Nothing);
        let field = Item { need, ..item }.link(None).unwrap();
        assert_eq!(field.to_str().unwrap(), "</a.js>; rel=preload; as=script; fetchpriority=high");
    }
}

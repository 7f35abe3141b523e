//! The pushes of a page: what is promised, what of it is admitted, and what the driver made of it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use headstart_learn::Time;
use headstart_policy::{Attempt, Promise, Refusal};
use http::{StatusCode, response};

use crate::connection_state::ConnectionState;
use crate::engine::Engine;
use crate::item::{Push, Tag};
use crate::page_exchange::PageExchange;
use crate::response as answer;
use crate::view::{Decision, Outlet, Reason};

impl PageExchange {
    /// The requests that the service shall answer beside the page. An item whose path cannot be requested is omitted.
    pub(crate) fn promises(&mut self, engine: &Engine) -> Vec<Promise<Tag>> {
        let mut promises = Vec::new();
        if self.items.conditions().outlet != Outlet::Push {
            return promises;
        }
        for (at, item) in self.items.promisable(engine.limits.verify_held) {
            let Ok(path) = item.path.parse() else {
                item.decision = Decision::Omitted(Reason::Driver(Refusal::Invalid));
                continue;
            };
            let tag = Tag::new(Push {
                item: at,
                view: self.number,
                authority: Arc::clone(&self.authority),
                page: Arc::clone(&self.name),
                asset: Arc::clone(&item.path),
                bytes: AtomicU64::new(item.bytes),
            });
            let priority = Some(item.need.priority());
            promises.push(Promise { path, headers: self.promised_fields.clone(), priority, tag });
        }
        promises
    }

    /// The response of a promise is ready: returns whether it is what was expected and is still needed.
    pub(crate) fn admit(
        &mut self,
        engine: &Engine,
        connection: &ConnectionState,
        push: &Push,
        head: &response::Parts,
        bytes: Option<u64>,
        now: Time,
    ) -> bool {
        let Some(item) = self.items.get(push.item) else {
            return false;
        };
        if let (Some(site), StatusCode::NOT_FOUND | StatusCode::GONE) = (self.site, head.status) {
            engine.learner.gone(now, site, self.arrival.network, &item.path);
        }
        let found = (head.status == StatusCode::OK && answer::may_be_pushed(&head.headers))
            .then(|| answer::asset(&engine.identities, &push.asset, item.cors, &head.headers, bytes).ok())
            .flatten();
        if let (Some(site), Some(asset)) = (self.site, &found) {
            engine.learner.describe(site, asset);
        }
        let cache = self.said.cache(connection, self.site, self.fingerprint.as_ref());
        self.items.admit(&cache, push, found.as_ref())
    }

    /// The driver's answers to the promises.
    pub(crate) fn attempted(&mut self, attempts: &[Attempt<Tag>]) {
        for Attempt { tag, refusal } in attempts {
            if let Some(refusal) = refusal {
                self.items.refused(tag.item, *refusal);
            }
        }
    }
}

//! The assets of one page view, and the decision on each.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use headstart_learn::{Asset, Candidate, Draw, Freshness};
use headstart_policy::Refusal;

use crate::assets::Named;
use crate::client_cache::ClientCache;
use crate::engine::VerifyHeld;
use crate::item::{Item, Push};
use crate::link;
use crate::need;
use crate::page_target::PageTarget;
use crate::rules::{Bans, Budget, PageRules};
use crate::view::{Decision, Outlet, Reason};

/// Most assets of one view: learned ones and those that the application names. More are left out.
const MAX_ITEMS: usize = 128;
/// Bytes that a push of unknown length counts for in the page's budget; the driver counts the same.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// What holds for every asset of a view.
pub(crate) struct Conditions {
    /// The page, which is never one of its own assets.
    pub(crate) target: PageTarget,
    pub(crate) outlet: Outlet,
    pub(crate) draw: Draw,
    pub(crate) save_data: bool,
    /// The lower bound of the probability from which an asset is pushed.
    pub(crate) push_threshold: f32,
    pub(crate) rules: PageRules,
    pub(crate) budget: Budget,
}

/// The assets of one page view in order of need, each with its decision.
pub(crate) struct Items {
    list: Vec<Item>,
    conditions: Conditions,
    /// Bytes of the pushes that were admitted.
    pushed_bytes: u64,
}

impl Items {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Items { list: Vec::new(), conditions, pushed_bytes: 0 }
    }

    pub(crate) fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// Whether the view is held out was drawn, before anything was added.
    pub(crate) fn draw(&mut self, draw: Draw) {
        self.conditions.draw = draw;
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Item> {
        self.list.iter()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Item> {
        self.list.get(at)
    }

    /// Adds the candidates of a plan, the most urgent first, so that a budget that does not suffice is spent on what the
    /// page needs most.
    pub(crate) fn add_plan(&mut self, cache: &ClientCache<'_>, candidates: &[Candidate]) {
        let urgency = |candidate: &Candidate| need::urgency(candidate.urgency, candidate.destination, candidate.cors);
        if candidates.is_sorted_by_key(urgency) {
            for candidate in candidates {
                self.add_learned(cache, candidate);
            }
            return;
        }
        let mut ordered: Vec<&Candidate> = candidates.iter().collect();
        ordered.sort_by_key(|candidate| urgency(candidate));
        for candidate in ordered {
            self.add_learned(cache, candidate);
        }
    }

    fn add_learned(&mut self, cache: &ClientCache<'_>, candidate: &Candidate) {
        let Conditions { outlet, push_threshold, .. } = self.conditions;
        let unlikely = outlet == Outlet::Push && candidate.lower_bound < push_threshold;
        self.add(cache, Item::learned(candidate), unlikely.then_some(Reason::Unlikely));
    }

    pub(crate) fn add_named(&mut self, cache: &ClientCache<'_>, named: &Named) {
        let item = Item::named(Arc::clone(&named.path), named.destination, named.cors);
        self.add(cache, item, None);
    }

    /// Adds the assets that the operator's rules always send.
    pub(crate) fn add_ruled(&mut self, cache: &ClientCache<'_>) {
        let always: Vec<Named> = self.conditions.rules.always().cloned().collect();
        for named in &always {
            self.add_named(cache, named);
        }
    }

    pub(crate) fn add_preload(&mut self, cache: &ClientCache<'_>, preload: &link::Preload) {
        let item = Item::named(preload.path.as_str().into(), preload.destination, preload.cors);
        let push = self.conditions.outlet == Outlet::Push;
        let forbidden = if push { preload.nopush } else { preload.push_only };
        self.add(cache, item, forbidden.then_some(Reason::Forbidden));
    }

    /// The items that the service shall be asked for and was not asked for before, with their indexes: the pushes, and
    /// what the client's cookie contains but may have changed since.
    pub(crate) fn promisable(&mut self, verify_held: VerifyHeld) -> impl Iterator<Item = (usize, &mut Item)> {
        let verify = move |item: &Item| match verify_held {
            VerifyHeld::Always => true,
            VerifyHeld::Mutable => item.freshness != Freshness::Immutable,
            VerifyHeld::Never => false,
        };
        let wanted = move |item: &Item| match item.decision {
            Decision::Pushed => true,
            Decision::Held => !item.barred && verify(item),
            _ => false,
        };
        let unasked = self.list.iter_mut().enumerate().filter(move |(_, item)| !item.promised && wanted(item));
        unasked.map(|(at, item)| {
            item.promised = true;
            (at, item)
        })
    }

    /// The response of a promise is ready; `found` describes it unless it may not be pushed. Decides anew, and returns
    /// whether it is pushed.
    pub(crate) fn admit(&mut self, cache: &ClientCache<'_>, push: &Push, found: Option<&Asset<'_>>) -> bool {
        let pushed = self.list.iter().filter(|item| item.decision == Decision::Pushed).count();
        let Conditions { budget, .. } = &self.conditions;
        let Some(item) = self.list.get_mut(push.item) else {
            return false;
        };
        let Some(asset) = found else {
            item.decision = Decision::Omitted(Reason::NotPushable);
            return false;
        };
        (item.bytes, item.validator) = (asset.bytes, asset.validator);
        push.bytes.store(item.bytes, Ordering::Relaxed);
        let counted = if item.bytes == 0 { UNKNOWN_BYTES } else { item.bytes };
        let pushed_bytes = self.pushed_bytes.saturating_add(counted);
        let one_too_many = item.decision != Decision::Pushed && pushed >= budget.max_pushes;
        item.decision = if cache.contains(&item.path, item.validator) {
            Decision::Held
        } else if one_too_many || pushed_bytes > budget.max_push_bytes {
            Decision::Omitted(Reason::Budget)
        } else {
            self.pushed_bytes = pushed_bytes;
            Decision::Pushed
        };
        item.decision == Decision::Pushed
    }

    /// The driver did not promise what was to be pushed. An item that the policy itself did not admit has its decision.
    pub(crate) fn refused(&mut self, at: usize, refusal: Refusal) {
        if let Some(item) = self.list.get_mut(at)
            && refusal != Refusal::NotAdmitted
            && item.decision == Decision::Pushed
        {
            item.decision = Decision::Omitted(Reason::Driver(refusal));
        }
    }

    /// Whether the client is to fetch an asset early by itself, because it takes pushes and gets no more of them.
    pub(crate) fn falls_to_client(&self, decision: Decision) -> bool {
        let exhausted = matches!(decision, Decision::Omitted(Reason::Budget | Reason::Driver(_)));
        self.conditions.outlet == Outlet::Push && exhausted
    }

    /// Decides on an asset. An asset that was both named and learned is one item, which is sent if either says so, in
    /// the version that was learned.
    fn add(&mut self, cache: &ClientCache<'_>, mut item: Item, omit: Option<Reason>) {
        if self.conditions.target.is(&item.path) || self.list.len() >= MAX_ITEMS {
            return;
        }
        let known = self.list.iter().position(|known| known.path == item.path);
        if let Some(at) = known
            && let Some(known) = self.list.get(at)
        {
            match (known.validator, known.decision) {
                (0, Decision::Pushed | Decision::Hinted | Decision::Linked) if item.validator != 0 => {}
                (validator, Decision::Omitted(Reason::Unlikely)) if omit.is_none() => item.validator = validator,
                _ => return,
            }
            self.list.remove(at);
        }
        let bans = self.conditions.rules.bans(&item.path);
        item.barred = self.conditions.draw.held_out || self.conditions.save_data || omit.is_some() || bans.push;
        item.decision = self.decide(cache, &item, bans, omit);
        let at = known.unwrap_or(self.list.len());
        self.list.insert(at, item);
    }

    fn decide(&self, cache: &ClientCache<'_>, item: &Item, bans: Bans, omit: Option<Reason>) -> Decision {
        let Conditions { outlet, draw, save_data, budget, .. } = &self.conditions;
        let count = |decision| self.list.iter().filter(|item| item.decision == decision).count();
        let (decision, most) = match outlet {
            Outlet::Push if bans.push => (Decision::Linked, budget.max_hints),
            Outlet::Push => (Decision::Pushed, budget.max_pushes),
            // Chromium 156 asks twice for what a 103 names and it may not use without asking; `Link` on the page
            // it acts on once.
            Outlet::EarlyHints if item.freshness == Freshness::Stale => (Decision::Linked, budget.max_hints),
            Outlet::EarlyHints => (Decision::Hinted, budget.max_hints),
            Outlet::Link => (Decision::Linked, budget.max_hints),
        };
        // A client does not ask for what it holds, held out or not: such a view is no evidence that it is not needed.
        if cache.contains(&item.path, item.validator) {
            Decision::Held
        } else if draw.held_out {
            Decision::HeldOut
        } else if *save_data {
            Decision::Omitted(Reason::SaveData)
        } else if let Some(reason) = omit {
            Decision::Omitted(reason)
        } else if bans.hint && decision != Decision::Pushed {
            Decision::Omitted(Reason::Rule)
        } else if count(decision) >= most {
            Decision::Omitted(Reason::Budget)
        } else {
            decision
        }
    }
}

//! The assets of one page view, and the decision on each.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use headstart_learn::{Asset, Candidate, Destination, Draw, Freshness};
use headstart_policy::Refusal;

use crate::assets::Named;
use crate::attributes::Attributes;
use crate::beacon::BEACON_PREFIX;
use crate::client_cache::ClientCache;
use crate::conditions::Conditions;
use crate::engine::VerifyHeld;
use crate::item::{Item, Push};
use crate::link;
use crate::need::{Need, Says};
use crate::rules::Bans;
use crate::statements::{Statement, Statements};
use crate::view::{Decision, Outlet, Reason};

/// Most assets of one view: learned ones and those that the application names. More are left out.
const MAX_ITEMS: usize = 128;
/// Bytes of all `Link` fields of one response that are ours: nginx in front gives up at 4 or 8 KiB.
const MAX_LINK_BYTES: usize = 4 << 10;
/// Bytes that a push of unknown length counts for in the page's budget; the driver counts the same.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// The assets of one page view in order of need, each with its decision.
pub(crate) struct Items {
    list: Vec<Item>,
    conditions: Conditions,
    /// Bytes of the pushes that were admitted.
    pushed_bytes: u64,
    /// Bytes of the hints.
    link_bytes: usize,
}

impl Items {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Items { list: Vec::new(), conditions, pushed_bytes: 0, link_bytes: 0 }
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

    /// Adds the candidates of a plan, and what the page says that it needs and no traffic says anything of yet: the most urgent
    /// first, so that a budget that does not suffice is spent on what the page waits for.
    ///
    /// `known` tells whether the learner has evidence of an asset; without it the page's own words add nothing. `answered` tells how
    /// fresh an asset's last answer was.
    pub(crate) fn add_needed(
        &mut self,
        cache: &ClientCache<'_>,
        candidates: &[Candidate],
        known: Option<&dyn Fn(&str) -> bool>,
        answered: &impl Fn(&str) -> Option<Freshness>,
    ) {
        let Conditions { outlet, push_threshold, .. } = self.conditions;
        // Evidence that is too thin for a push is no reason against what the page names itself.
        let named = known.and(self.nameable()).map(|statements| &statements.nameable);
        let is_named = |path: &str| named.is_some_and(|named| named.iter().any(|named| **named == *path));
        let unlikely = |candidate: &Candidate| {
            outlet == Outlet::Push && candidate.lower_bound < push_threshold && !is_named(&candidate.path)
        };
        let learned =
            candidates.iter().map(|found| (Item::learned(found), unlikely(found).then_some(Reason::Unlikely)));
        let mut needed: Vec<(Item, Option<Reason>)> = learned.collect();
        for (item, omit) in &mut needed {
            *omit = self.in_the_pages_words(item).or(*omit);
        }
        let unseen = known.map(|known| self.unseen(known, answered)).unwrap_or_default();
        needed.extend(unseen.into_iter().map(|item| (item, None)));
        self.add_in_order(cache, needed);
    }

    fn add_in_order(&mut self, cache: &ClientCache<'_>, mut needed: Vec<(Item, Option<Reason>)>) {
        needed.sort_by_key(|(item, _)| item.need);
        for (item, omit) in needed {
            self.add(cache, item, omit);
        }
    }

    /// The page's statements, where they may be a reason to send something.
    fn nameable(&self) -> Option<&Statements> {
        self.conditions.statements.as_deref().filter(|_| self.conditions.markup.cold_start)
    }

    /// Assets that the page names and no traffic has shown yet.
    fn unseen(&self, known: impl Fn(&str) -> bool, answered: &impl Fn(&str) -> Option<Freshness>) -> Vec<Item> {
        let Some(statements) = self.nameable() else { return Vec::new() };
        let item = |path: &Arc<str>| {
            // Of most the learner knows more.
            if known(path) {
                return None;
            }
            let Some(Statement::Hint(named)) = statements.by_path.get(&**path) else { return None };
            // A name alone is not enough: a file must be there, or somebody have got it.
            let freshness = answered(path)?;
            let attributes = Arc::clone(&named.attributes);
            let mut item = Item::named(Arc::clone(path), named.destination, attributes, freshness);
            item.need = Need::of(None, item.destination, item.cors, Says::Named(named.urgency));
            Some(item)
        };
        statements.nameable.iter().filter_map(item).collect()
    }

    /// Gives an item what the page says of it; returns why it is left out, if it is.
    fn in_the_pages_words(&self, item: &mut Item) -> Option<Reason> {
        let Conditions { statements, markup, outlet, .. } = &self.conditions;
        let statements = statements.as_deref()?;
        // A push serves any element; a hint that none uses is fetched for nothing.
        let hint = *outlet != Outlet::Push;
        let asked = Arc::clone(&item.path);
        let says = statements.of(&asked);
        let of_need = match says {
            Some((_, Statement::Hint(named))) => Says::Named(named.urgency),
            Some(_) => Says::Named(None),
            None if statements.whole => Says::Unnamed,
            None => Says::Nothing,
        };
        item.need = Need::of(item.learned_urgency, item.destination, item.cors, of_need);
        match says {
            Some((path, Statement::Hint(named))) if markup.attributes && hint => {
                if *path != *asked {
                    item.path = path.into();
                }
                item.destination = named.destination;
                item.attributes = Arc::clone(&named.attributes);
                None
            }
            Some((_, Statement::Not(Reason::Unnamed))) => markup.changes.then_some(Reason::Unnamed),
            Some((_, Statement::Not(Reason::Inexpressible))) if !hint => None,
            Some((_, Statement::Not(reason))) => markup.attributes.then_some(*reason),
            Some(_) => None,
            // A stylesheet in CORS mode that no element names is a CSS module, which takes no preload.
            None => {
                let css_module = statements.whole && item.cors && item.destination == Destination::Style;
                (css_module && hint && markup.attributes).then_some(Reason::Inexpressible)
            }
        }
    }

    /// `answered` tells how fresh the last answer of an asset was. What nobody has asked for yet counts as fresh: the
    /// operator and the application know what they name.
    pub(crate) fn add_named(
        &mut self,
        cache: &ClientCache<'_>,
        named: &Named,
        answered: &impl Fn(&str) -> Option<Freshness>,
    ) {
        let attributes = Attributes::of_mode(named.destination, named.cors);
        let freshness = answered(&named.path).unwrap_or(Freshness::Fresh);
        let mut item = Item::named(Arc::clone(&named.path), named.destination, attributes, freshness);
        let reason = self.in_the_pages_words(&mut item);
        self.add(cache, item, reason.filter(|reason| *reason == Reason::Inexpressible));
    }

    /// Adds the assets that the operator's rules always send.
    pub(crate) fn add_ruled(&mut self, cache: &ClientCache<'_>, answered: &impl Fn(&str) -> Option<Freshness>) {
        let always: Vec<Named> = self.conditions.rules.always().cloned().collect();
        for named in &always {
            self.add_named(cache, named, answered);
        }
    }

    pub(crate) fn add_preload(&mut self, cache: &ClientCache<'_>, preload: &link::Preload) {
        let path = preload.path.as_str().into();
        let item = Item::named(path, preload.destination, preload.attributes.clone().into(), Freshness::Stale);
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
        let measures = item.path.starts_with(BEACON_PREFIX);
        if self.conditions.target.is(&item.path) || measures || self.list.len() >= MAX_ITEMS {
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
        if matches!(item.decision, Decision::Hinted | Decision::Linked) {
            let bytes = item.path.len() + item.attributes.written_bytes();
            if self.link_bytes + bytes > MAX_LINK_BYTES {
                item.decision = Decision::Omitted(Reason::Budget);
            } else {
                self.link_bytes += bytes;
            }
        }
        let at = known.unwrap_or(self.list.len());
        self.list.insert(at, item);
    }

    fn decide(&self, cache: &ClientCache<'_>, item: &Item, bans: Bans, omit: Option<Reason>) -> Decision {
        let Conditions { outlet, draw, save_data, budget, policy, unserved, .. } = &self.conditions;
        let count = |decision| self.list.iter().filter(|item| item.decision == decision).count();
        let (decision, most) = match outlet {
            Outlet::Push if bans.push => (Decision::Linked, budget.max_hints),
            Outlet::Push => (Decision::Pushed, budget.max_pushes),
            // Chromium 156 asks twice for what a 103 names and it may not use without asking; `Link` on the page
            // it acts on once.
            Outlet::EarlyHints if item.freshness == Freshness::Stale => (Decision::Linked, budget.max_hints),
            Outlet::EarlyHints if !policy.admits_in_early_hints(item.destination) => {
                (Decision::Linked, budget.max_hints)
            }
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
        } else if decision != Decision::Pushed && !item.is_admitted(*policy) {
            Decision::Omitted(Reason::Policy)
        } else if decision != Decision::Pushed && unserved.contains(&item.path) {
            Decision::Omitted(Reason::FetchedTwice)
        } else if bans.hint && decision != Decision::Pushed {
            Decision::Omitted(Reason::Rule)
        } else if count(decision) >= most {
            Decision::Omitted(Reason::Budget)
        } else {
            decision
        }
    }
}

#[cfg(test)]
mod tests {
    use headstart_learn::Destination;

    use super::*;
    use crate::connection_state::ConnectionState;
    use crate::markup_settings::Markup;
    use crate::page_policy::PagePolicy;
    use crate::page_target::PageTarget;
    use crate::rules::{Budget, PageRules};

    fn learned(path: &str, destination: Destination, urgency: Option<u8>) -> Item {
        let item = Item::named(path.into(), destination, Arc::default(), Freshness::Fresh);
        Item { need: Need::of(urgency, destination, false, Says::Nothing), ..item }
    }

    /// The paths that are hinted of these assets, in order, where so many may be.
    fn hinted(assets: &[Item], max_hints: usize) -> Vec<Arc<str>> {
        let headstart = crate::Headstart::builder().build().unwrap();
        let connection = ConnectionState::new(&headstart.engine, ([192, 0, 2, 1], 443).into());
        let cache = ClientCache { connection: &connection, site: None, fingerprint: None, digests: None };
        let (head, ()) = http::Request::get("/page").body(()).unwrap().into_parts();
        let mut items = Items::new(Conditions {
            target: PageTarget::of(&head),
            outlet: Outlet::EarlyHints,
            draw: Draw::default(),
            save_data: false,
            push_threshold: 0.4,
            rules: PageRules::default(),
            budget: Budget { max_hints, ..Budget::default() },
            policy: PagePolicy::default(),
            unserved: Arc::default(),
            statements: None,
            markup: Markup::default(),
        });
        items.add_in_order(&cache, assets.iter().map(|item| (item.clone(), None)).collect());
        let hinted = items.iter().filter(|item| item.decision == Decision::Hinted);
        hinted.map(|item| Arc::clone(&item.path)).collect()
    }

    #[test]
    fn a_script_that_nobody_waits_for_never_comes_before_one_that_blocks() {
        let assets = [
            learned("/analytics.js", Destination::Script, Some(4)),
            learned("/photo.jpg", Destination::Image, None),
            learned("/blocking.js", Destination::Script, Some(1)),
            learned("/app.css", Destination::Style, Some(0)),
            learned("/unknown.js", Destination::Script, None),
        ];
        let order: Vec<Arc<str>> =
            ["/blocking.js", "/app.css", "/unknown.js", "/photo.jpg", "/analytics.js"].map(Into::into).into();
        assert_eq!(hinted(&assets, 16), order);
        assert_eq!(hinted(&assets, 2), order[..2], "a budget is spent on what the page waits for");
    }

    #[test]
    fn what_the_page_alone_says_that_it_waits_for_comes_before_what_was_learned_and_does_not_block() {
        let script = |path: &str| learned(path, Destination::Script, Some(3));
        let unseen = learned("/new.css", Destination::Style, Some(1));
        let order = [script("/async.js"), script("/other.js"), unseen];
        assert_eq!(hinted(&order, 2), ["/new.css", "/async.js"].map(Arc::<str>::from));
    }

    #[test]
    fn equally_urgent_assets_keep_the_order_of_the_plan() {
        let assets: Vec<_> =
            (0..9).map(|n| learned(&format!("/{}.css", (n * 4) % 9), Destination::Style, None)).collect();
        let plan: Vec<_> = assets.iter().map(|item| Arc::clone(&item.path)).collect();
        assert_eq!(hinted(&assets, 16), plan);
    }
}

//! Reads a learner: plans, explanations, counts.

use super::Learner;
use crate::explain::{Explanation, Knowledge, explain};
use crate::model::{Model, phone_key};
use crate::observation::ClientClass;
use crate::page::Page;
use crate::pages::{Pages, is_named, pages};
use crate::plan::Plan;
use crate::planner::{self, Now};
use crate::published::Published;
use crate::query;
use crate::site::Site;
use crate::stats::Stats;
use crate::sync::{Arc, Ordering, lock, try_lock};
use crate::time::Time;

impl Learner {
    /// The plan of a page.
    ///
    /// Takes the published plan: O(1) whatever its length. If none is kept it is built,
    /// in O(e log e) for e assets at the levels of the page; one that is a minute old,
    /// or that new evidence has overtaken, is built anew unless the model is busy. Visits that are over by now are
    /// learned before.
    pub fn plan(&self, now: Time, site: Site, page: Page<'_>, class: ClientClass) -> Plan {
        self.learn_due(now);
        let asked = page;
        let query = page.query.and_then(|query| query::identifying(query, self.config.campaign_fields()));
        let page = Page { query: query.as_deref(), ..page };
        let key = class_key(self.page_key(site, page.path, page.query), class);
        let plan = match self.plans.get(key).map(|plan| self.current(key, plan)) {
            Some(plan) if !plan.is_stale(now) => Some(plan),
            Some(plan) => match try_lock(&self.model) {
                Some(mut model) => self.publish(&mut model, now, site, page, class),
                None => Some(plan),
            },
            None => self.publish(&mut lock(&self.model), now, site, page, class),
        };
        let Some(plan) = plan.map(|plan| self.current(key, plan)) else { return Plan::default() };
        // One plan is for all addresses of the page; a whole address may be an asset of it.
        let itself = asked.query.map(|query| self.keys.path(site, &format!("{}?{query}", asked.path)));
        let without = itself.and_then(|itself| plan.without(itself));
        without.map_or(plan, Arc::new).into()
    }

    /// Why the plan of a page is what it is: every asset past the network gate.
    pub fn explain(&self, now: Time, site: Site, page: Page<'_>, class: ClientClass) -> Explanation {
        self.learn_due(now);
        let now = Now { time: now, tick: self.tick(now) };
        let query = page.query.and_then(|query| query::identifying(query, self.config.campaign_fields()));
        let page = Page { query: query.as_deref(), ..page };
        let key = self.page_key(site, page.path, page.query);
        let (explanation, reasons) = {
            let mut model = lock(&self.model);
            let chain = model.chain(site, page);
            (chain.map(|chain| explain(&model, &chain, &self.config, now, class)), model.reasons().get(key))
        };
        let explanation = explanation.unwrap_or_else(|| {
            let open = lock(&self.visits).has_page(key);
            let state = if open { Knowledge::VisitOpen } else { Knowledge::Unknown };
            Explanation { state, ..Explanation::default() }
        });
        Explanation { reasons, ..explanation }
    }

    /// The name under which a page may be shown to an operator: its path, and of its query what tells pages
    /// apart; if the page has not passed the network gate, of that only a keyed hash.
    pub fn page_name(&self, site: Site, page: Page<'_>) -> String {
        let query = page.query.and_then(|query| query::identifying(query, self.config.campaign_fields()));
        let Some(query) = query else { return page.path.to_owned() };
        let name = format!("{}?{query}", page.path);
        let key = self.keys.query(site, &*name);
        let model = lock(&self.model);
        let node = model.nodes().find(key).and_then(|id| model.nodes().get(id));
        if node.is_some_and(|node| is_named(node, self.config.min_networks())) {
            return name;
        }
        format!("{}?#{:08x}", page.path, key >> 32)
    }

    /// The heaviest pages that have passed the network gate, at most `max` of them, of all
    /// sites. O(n log n) for n pages, during which nothing is learned.
    pub fn pages(&self, now: Time, max: usize) -> Pages {
        let tick = self.tick(now);
        let model = lock(&self.model);
        let when = (model.decay(), tick);
        pages(model.nodes(), &self.sites, when, self.config.min_networks(), max)
    }

    /// Counts for operators. O(pages).
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            sites: self.sites.len(),
            plans: self.plans.len(),
            bytes: self.plans.bytes() + self.sites.bytes() + lock(&self.returning).bytes(),
            ..Stats::default()
        };
        {
            let visits = lock(&self.visits);
            stats.open_visits = visits.len();
            stats.bytes += visits.bytes();
        }
        {
            let orphans = lock(&self.orphans);
            stats.bytes += orphans.bytes();
            let tally = orphans.tally();
            (stats.named_assets, stats.orphans) = (tally.assets, tally.orphans);
        }
        let [no_visit, ambiguous] = &self.unattributed;
        stats.reasons.no_visit = no_visit.load(Ordering::Relaxed);
        stats.reasons.ambiguous = ambiguous.load(Ordering::Relaxed);
        lock(&self.model).add_stats(&mut stats);
        stats
    }

    /// The plan of a page for a class of clients, built if it is not kept, and kept. `None` if nothing is known of it.
    fn publish(
        &self,
        model: &mut Model,
        time: Time,
        site: Site,
        page: Page<'_>,
        class: ClientClass,
    ) -> Option<Arc<Published>> {
        let now = Now { time, tick: self.tick(time) };
        let chain = model.chain(site, page)?;
        let key = class_key(chain.plan, class);
        let kept = self.plans.get(key).filter(|plan| !plan.is_stale(time));
        let plan = kept.unwrap_or_else(|| {
            let version = self.directory.version();
            let nodes = model.nodes_of(&chain);
            let when = (model.decay(), now);
            let plan = Arc::new(planner::build(&nodes, model.assets(), &self.config, when, class, version));
            model.published(&chain);
            self.plans.insert(key, &plan);
            plan
        });
        // The plan of a coarser level may name another page that is an asset of some: this one, even.
        let itself = self.keys.path(site, page.path);
        Some(plan.without(itself).map_or(plan, Arc::new))
    }

    /// The plan with what is known of its assets now.
    fn current(&self, key: u64, plan: Arc<Published>) -> Arc<Published> {
        match plan.renewed(&self.directory) {
            Some(renewed) => {
                let renewed = Arc::new(renewed);
                self.plans.replace(key, &plan, &renewed);
                renewed
            }
            None => plan,
        }
    }
}

/// The key of the plan of a page for a class of clients.
fn class_key(key: u64, class: ClientClass) -> u64 {
    if class == ClientClass::Phone { phone_key(key) } else { key }
}

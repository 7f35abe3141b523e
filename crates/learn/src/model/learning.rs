//! How a visit is taken in.

use super::findings::{Finding, Findings};
use super::{LevelKey, Levels, Model};
use crate::assets::{Asset, AssetId, Assets, Sighting};
use crate::clock::Tick;
use crate::edge::{Edge, Hit};
use crate::keys::{Keys, fold};
use crate::level::Level;
use crate::level_name::LevelName;
use crate::networks::networks_needed;
use crate::node::{Evidence, Node, Visited};
use crate::page::Page;
use crate::page_reasons::Cause;
use crate::rename::stem;
use crate::site::Site;
use crate::stats::REFUSALS;
use crate::visit::{OpenVisit, Record};
use crate::visit_evidence::{PageKeys, VisitEvidence};
use crate::witnesses::{Scope, Witness, seconds};

/// A usual view is held out once in so many.
const USUAL_DRAW: f32 = 32.0;

impl Model {
    /// Learns a visit that has closed.
    pub(crate) fn learn(&mut self, visit: &OpenVisit) {
        let late = visit.records.iter().filter(|record| record.late).count() as u32;
        self.counts.late += u64::from(late);
        self.reasons.count(visit.page, Cause::Late, late);
        if visit.refused != [0; REFUSALS] {
            for (reason, times) in (0u8..).zip(visit.refused) {
                self.reasons.count(visit.page, Cause::Refused(reason), u32::from(times));
            }
        }
        if visit.confirmed.is_none() {
            self.counts.not_a_page += 1;
            self.reasons.count(visit.page, Cause::NotAPage, 1);
            return;
        }
        if !visit.counts() {
            self.counts.no_assets += 1;
            self.reasons.count(visit.page, Cause::NoAssets, 1);
            return;
        }
        let assisted = visit.is_assisted();
        let says_news = visit.records.iter().any(|record| record.rank.is_some() && !record.hinted);
        // A hold-out has a vote of its own, and a view that was sent all that it asked for leaves the other one.
        let kind = match (visit.draw.held_out, assisted && !says_news) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 0,
        };
        let scope = match (visit.positive_only, assisted) {
            (true, _) => Scope::PositiveOnly,
            (false, true) => Scope::Assisted,
            (false, false) => Scope::Full,
        };
        let tag = fold(visit.client, visit.page) ^ visit.opened.0;
        let levels = self.levels(visit.site, visit.path_hash, Page::new(&visit.path, visit.query.as_deref()));
        let key_of = |level: Level| levels.get(usize::from(level.code())).copied().flatten().map(|level| level.key);
        let evidence = VisitEvidence {
            site: visit.site,
            page: PageKeys {
                page: visit.page,
                path: visit.path_hash,
                section: key_of(Level::Section).unwrap_or_default(),
                template: key_of(Level::Template),
                query: key_of(Level::Query),
            },
            network: self.keys.network(visit.network),
            kind,
            opened: visit.opened,
            tag: tag as u32,
            class: visit.class,
            scope,
            // Which assisted views are remembered must not depend on what was asked for on them.
            is_witness: says_news || scope == Scope::Assisted,
            personal: visit.personal,
            queried: visit.query.is_some(),
            held_out: visit.draw.held_out,
            share: share(visit),
            sampled: 0,
            items: Vec::new(),
        };
        let Some(for_path) = self.vote(&evidence) else { return };
        self.counts.cache_unknown += u64::from(visit.positive_only);
        self.reasons.count(visit.page, Cause::CacheUnknown, u32::from(visit.positive_only));
        let (known, refused) = (self.assets.state(), self.counts.no_room);
        let page = levels.iter().flatten().find(|level| level.level == Level::Page).and_then(|level| level.node);
        let findings = self.findings(visit, evidence.network, page);
        let news = self.assets.state() != known;
        self.spread(&evidence, &levels, &findings, (for_path, news));
        self.reasons.count(visit.page, Cause::NoRoom, (self.counts.no_room - refused) as u32);
        if self.accumulator.is_some() {
            self.hand_on(visit, evidence, &findings, news);
        }
        self.release(findings);
    }

    /// Casts the vote of a visit's network. `None` if it has voted on the page lately; else whether it has not on the
    /// page without its query.
    pub(super) fn vote(&mut self, visit: &VisitEvidence) -> Option<bool> {
        let vote = |keys: &Keys, page| keys.vote(visit.network, page, visit.kind);
        let for_page = self.votes.cast(vote(&self.keys, visit.page.page), visit.opened);
        let for_path = !visit.queried || self.votes.cast(vote(&self.keys, visit.page.path), visit.opened);
        if !for_page {
            self.counts.voted += 1;
            self.reasons.count(visit.page.page, Cause::Voted, 1);
            return None;
        }
        self.counts.learned += 1;
        Some(for_path)
    }

    /// Adds a visit to the nodes of its page: whether it counts for the page without its query, and whether assets
    /// have come to be known otherwise by it.
    pub(super) fn spread(
        &mut self,
        visit: &VisitEvidence,
        levels: &Levels<'_>,
        findings: &Findings,
        (for_path, news): (bool, bool),
    ) {
        let second = seconds(visit.opened);
        let weight = visit.weight();
        let tag = Witness::tag(visit.network, visit.site.salt, visit.tag);
        let witness = Witness::new(second, (visit.page.page, tag), visit.scope, visit.class);
        let gain = self.decay.gain(visit.opened, visit.share).saturating_mul(weight);
        let visited = Visited {
            second,
            epoch: self.decay.epoch(visit.opened),
            gain: if visit.scope == Scope::PositiveOnly { 0 } else { gain },
            weight,
            network: visit.network,
            witness: visit.is_witness.then_some(witness),
        };
        for level in levels.iter().flatten() {
            let LevelKey { level: kind, key, name, .. } = *level;
            if kind != Level::Query && !for_path {
                continue;
            }
            if kind == Level::Query && !self.admits_query(key) {
                continue;
            }
            if let Some(id) = self.find_or_admit(*level, visit.site.index, visit.opened) {
                self.record(id, name, visit, &visited, &findings.list);
                if news && self.nodes.get(id).is_some_and(|node| !node.is_of_many() || node.is_young()) {
                    self.mark_stale(key);
                }
            }
        }
        if news && visit.page.query.is_some() {
            self.mark_path_stale(visit.page.path);
        }
    }

    /// Lets the assets of a visit go that has been learned.
    pub(super) fn release(&mut self, findings: Findings) {
        self.assets.unpin();
        self.emptied = findings.emptied();
    }

    /// Whether a page with this query may have a node: it has been seen before.
    fn admits_query(&mut self, key: u64) -> bool {
        self.nodes.find(key).is_some() || self.sketch.add(key) >= 2
    }

    /// Adds a visit to one node.
    fn record(
        &mut self,
        id: u32,
        name: Option<LevelName<'_>>,
        visit: &VisitEvidence,
        visited: &Visited,
        findings: &[Finding],
    ) {
        self.tidy(id);
        let Some((level, key)) = self.nodes.get(id).map(|node| (node.level, node.key)) else { return };
        let max_edges = self.max_edges(level);
        let needed = networks_needed(self.limits.min_networks, visit.personal && level.is_page());
        let (assets, sketch, keys, counts) = (&mut self.assets, &mut self.sketch, &self.keys, &mut self.counts);
        let mut full = 0;
        let news = self.nodes.update(id, |node| {
            let mut news = false;
            let counted = node.count(visited);
            node.personal |= visit.personal && level.is_page();
            news |= visit.queried && level == Level::Page && !node.queried;
            node.queried |= visit.queried && level == Level::Page;
            if node.name.is_none() && node.networks.at_least() >= needed {
                node.name = name.map(Into::into);
            }
            if level.is_page() && node.networks.at_least() < needed {
                counts.few_networks += 1;
            }
            // Most of what a page needs is asked for on its first visit.
            if node.edges.capacity() == 0 {
                node.edges.reserve_exact(findings.len().min(max_edges));
            }
            let mut next = 0;
            for finding in findings {
                let fetched = matches!(finding.evidence, Evidence::Fetched(_));
                let guess = if level == Level::Page { usize::from(finding.place) } else { next };
                let at = match node.place_of(finding.asset, guess) {
                    Some(at) => at,
                    // What was never fetched needs no mute.
                    None if !fetched => continue,
                    None => {
                        news = true;
                        let edge = Edge::new(finding.asset, visited.second);
                        let seen = || sketch.add(keys.edge(u64::from(id), finding.hash));
                        let Some(at) = place(node, edge, max_edges, assets, seen) else {
                            full += u32::from(level.is_page());
                            continue;
                        };
                        at
                    }
                };
                // Visits ask for the same assets in much the same order.
                next = at + 1;
                news |= node.record(at, finding.hash, finding.evidence, (visited, counted, needed));
            }
            let telling = counted.is_witness() && (visit.held_out || node.is_young());
            // Once a sixteenth of all visits have come since the plan was built; it is marked once.
            let overtaken = node.unpublished.saturating_mul(16) >= node.count
                && node.unpublished.saturating_sub(1).saturating_mul(16) < node.count.saturating_sub(1);
            // Of many pages each has assets of its own, which say nothing of others: a plan for those is not built anew for
            // each of them.
            let news = news && (!node.is_of_many() || node.is_young());
            (news || telling || overtaken, node.queried || level == Level::Query)
        });
        self.counts.page_full += u64::from(full);
        self.reasons.count(key, Cause::PageFull, full);
        match news {
            Some((true, true)) => {
                self.mark_stale(key);
                self.mark_path_stale(visit.page.path);
            }
            Some((true, false)) => self.mark_stale(key),
            _ => {}
        }
        self.shrink(id, visit.opened);
    }

    /// Looks up the assets of a visit, adding those that are new. Most are edges of the page that is known, in their order.
    fn findings(&mut self, visit: &OpenVisit, network: u64, page: Option<u32>) -> Findings {
        let mut findings = std::mem::take(&mut self.emptied);
        findings.list.reserve(visit.records.len());
        let seconds = seconds(visit.opened);
        let mut next = 0;
        for (at, record) in visit.records.iter().enumerate() {
            // A browser asks for what it was hinted whether or not the page needs it.
            let fetched = record.rank.filter(|_| !record.hinted);
            if fetched.is_none() && !record.hinted && !record.held && !record.pushed {
                continue;
            }
            let page = page.and_then(|id| self.nodes.get(id));
            let edge = page.and_then(|node| node.edges.get(next));
            let mut place = Some(next);
            let (asset, stem) = match edge.and_then(|edge| self.assets.pin_if(edge.asset, record.asset)) {
                Some(known) => known,
                None => match self.assets.find(record.asset) {
                    Some(id) => {
                        place = page.and_then(|node| node.place_of(id, next + 1));
                        (id, self.assets.pin(id))
                    }
                    None => match self.add_fetched(visit, record) {
                        Some(added) => added,
                        None => continue,
                    },
                },
            };
            next = place.unwrap_or(next);
            let evidence = match fetched {
                Some(rank) => Evidence::Fetched(Hit { rank, late: record.late, urgency: record.urgency }),
                None => Evidence::Mute,
            };
            if fetched.is_some() && stem == 0 {
                let sighting = Sighting { metadata: record.metadata.as_ref(), network, seconds };
                self.assets.saw(asset, &sighting, || visit.path_of(record));
            }
            self.find(&mut findings, Finding::new((asset, record.asset, stem), (at, next), evidence));
            next += usize::from(place.is_some());
        }
        // Which of them live side by side is known only now.
        for finding in findings.list.iter().filter(|finding| finding.stem != 0 && finding.is_fetched()) {
            if let Some(record) = visit.records.get(finding.record()) {
                let sighting = Sighting { metadata: record.metadata.as_ref(), network, seconds };
                self.assets.saw(finding.asset, &sighting, || visit.path_of(record));
            }
        }
        findings
    }

    /// Adds the asset of a record if it was fetched. A response without a body says too little of an asset to make it known.
    #[cold]
    fn add_fetched(&mut self, visit: &OpenVisit, record: &Record) -> Option<(AssetId, u64)> {
        record.rank.filter(|_| !record.hinted).and(record.metadata)?;
        let stem = stem(visit.path_of(record)).map_or(0, |stem| self.keys.stem(visit.site.salt, &stem));
        let id = self.add_asset((record.asset, stem), visit.site, visit.opened)?;
        Some((id, self.assets.pin(id)))
    }

    /// Adds a finding whose asset is pinned.
    pub(super) fn find(&mut self, findings: &mut Findings, finding: Finding) {
        if finding.is_fetched() && finding.stem != 0 {
            if findings.stems.contains(&finding.stem) {
                self.assets.crowd(finding.stem);
            }
            findings.stems.push(finding.stem);
        }
        findings.list.push(finding);
    }

    /// Adds an asset with the hashes of its path and of its stem.
    pub(super) fn add_asset(&mut self, (hash, stem): (u64, u64), site: Site, opened: Tick) -> Option<AssetId> {
        if self.assets.is_full() {
            // Only what is asked for again may push something out.
            if self.sketch.add(hash) < 2 || !self.evict_lighter(None, f32::INFINITY, opened) {
                self.counts.no_room += 1;
                return None;
            }
        }
        self.assets.add(Asset::new(hash, stem, site.index, seconds(opened)))
    }
}

/// For how many visits one counts: a hold-out for fewer where more are drawn, so that evidence of times with
/// many and with few of them is weighed alike.
fn share(visit: &OpenVisit) -> f32 {
    if visit.draw.held_out && visit.draw.chance > 0.0 {
        (1.0 / (USUAL_DRAW * visit.draw.chance)).clamp(0.125, 4.0)
    } else {
        1.0
    }
}

/// The place of an edge that is new to a node: there is room, or the lightest gives way to one that is
/// seen more often than that was.
fn place(node: &mut Node, edge: Edge, max: usize, assets: &mut Assets, seen: impl FnOnce() -> u8) -> Option<usize> {
    if node.edges.len() < max {
        assets.retain(edge.asset);
        node.push(edge);
        return Some(node.edges.len() - 1);
    }
    node.full = true;
    let at = node.lightest()?;
    let lightest = node.edges.get_mut(at)?;
    if u64::from(seen()) <= lightest.order.fetches() {
        return None;
    }
    assets.retain(edge.asset);
    assets.release(lightest.asset);
    *lightest = edge;
    Some(at)
}

//! Evidence that goes to other servers, and that comes from them.

use std::borrow::Cow;

use super::findings::{Finding, Findings};
use super::{LevelKey, Model};
use crate::accumulator::{Accumulator, Gone, Taken};
use crate::assets::{AssetId, Sighting};
use crate::delta::{NamedAsset, Names};
use crate::level::{Level, levels};
use crate::metadata::Metadata;
use crate::told::Told;
use crate::visit::OpenVisit;
use crate::visit_evidence::{Item, VisitEvidence};
use crate::witnesses::seconds;

impl Model {
    /// Begins to gather evidence for others, in so many bytes.
    pub(crate) fn accumulate(&mut self, bytes: usize) {
        let seed = self.keys.seed();
        self.accumulator.get_or_insert_with(|| Box::new(Accumulator::new(bytes, seed)));
    }

    pub(crate) fn accumulator(&self) -> Option<&Accumulator> {
        self.accumulator.as_deref()
    }

    /// Takes the evidence that was gathered since this was last called.
    pub(crate) fn take_accumulated(&mut self) -> Taken {
        self.accumulator.as_mut().map(|accumulator| accumulator.take()).unwrap_or_default()
    }

    /// Notes an asset for others; its name once an hour or when that changed, unless `always`.
    pub(crate) fn tell_asset(&mut self, hash: u64, second: u32, always: bool) -> Option<Told> {
        let asset = self.assets.get(self.assets.find(hash)?)?;
        let names = &mut self.accumulator.as_mut()?.names;
        let shown = asset.shown.as_ref().and_then(|shown| Some((shown, shown.metadata()?)));
        let shown = shown.filter(|(_, metadata)| {
            let news = names.is_news(hash, *metadata, second);
            news || always
        });
        Some(Told {
            personal: asset.personal,
            shown: shown.map(|(shown, metadata)| (shown.path.clone(), metadata)),
            stem: asset.stem,
            site: asset.site,
        })
    }

    /// The name of a page that has passed the gate, if it is to be told.
    pub(crate) fn tell_page(&mut self, path: u64, second: u32) -> Option<Box<str>> {
        let node = self.nodes.find(path).and_then(|id| self.nodes.get(id))?;
        let name = node.name.as_ref()?;
        let names = &mut self.accumulator.as_mut()?.names;
        names.is_news(path, Metadata::default(), second).then(|| name.clone())
    }

    /// Adds a visit that was learned to what others are to hear.
    pub(super) fn hand_on(
        &mut self,
        visit: &OpenVisit,
        mut evidence: VisitEvidence,
        findings: &Findings,
        mut news: bool,
    ) {
        let Some(accumulator) = &mut self.accumulator else { return };
        let second = seconds(visit.opened);
        for finding in findings.list.iter().filter(|finding| finding.is_fetched()) {
            let record = visit.records.get(finding.record());
            let hidden = self.assets.get(finding.asset).is_some_and(|asset| asset.shown.is_none());
            if let (true, Some(record)) = (hidden, record) {
                news = true;
                if record.metadata.is_some() {
                    accumulator.names.keep(finding.hash, visit.path_of(record), record.metadata, second);
                }
            }
        }
        let page = self.nodes.find(visit.path_hash).and_then(|id| self.nodes.get(id));
        if page.is_some_and(|node| node.name.is_none()) {
            accumulator.names.keep(visit.path_hash, &visit.path, None, second);
        }
        let items = findings.list.iter();
        evidence.items =
            items.map(|finding| Item { asset: finding.hash, stem: finding.stem, evidence: finding.evidence }).collect();
        accumulator.add(evidence, news);
    }

    /// Learns a visit to another server. Whether it counted.
    pub(crate) fn learn_foreign(&mut self, visit: &VisitEvidence, names: &Names<'_>) -> bool {
        let Some(for_path) = self.vote(visit) else { return false };
        let known = self.assets.state();
        let findings = self.foreign_findings(visit, names);
        let news = self.assets.state() != known;
        let page = visit.page;
        let kept = self.accumulator.as_ref().and_then(|accumulator| accumulator.names.pending(page.path));
        let kept = kept.filter(|kept| kept.metadata.is_none()).map(|kept| kept.path.clone());
        let name = names.page(page.path).map(Cow::Borrowed).or_else(|| kept.map(|path| Cow::Owned(path.into())));
        let level = |level, key: Option<u64>| {
            let name = name.as_ref().and_then(|name| levels(name).find(|(known, _)| *known == level));
            key.map(|key| LevelKey { level, key, name: name.map(|(_, name)| name), node: None })
        };
        let keys = [
            level(Level::Section, Some(page.section)),
            level(Level::Template, page.template),
            level(Level::Page, Some(page.path)),
            level(Level::Query, page.query),
        ];
        self.spread(visit, &keys, &findings, (for_path, news));
        self.release(findings);
        true
    }

    /// Takes in that a network was told by another server that something is gone.
    pub(crate) fn bury_foreign(&mut self, gone: Gone) {
        self.bury(gone);
    }

    /// Takes in the name of an asset that has passed the gate at another server.
    pub(crate) fn learn_name(&mut self, hash: u64, named: &NamedAsset<'_>, second: u32) {
        let Some(accumulator) = &mut self.accumulator else { return };
        accumulator.names.note(hash, named.metadata, second);
        accumulator.names.keep(hash, named.path, Some(named.metadata), second);
        if let Some(id) = self.assets.find(hash) {
            self.assets.describe(hash, named.metadata);
            self.show_if_passed(id, hash);
        }
    }

    fn foreign_findings(&mut self, visit: &VisitEvidence, names: &Names<'_>) -> Findings {
        let mut findings = std::mem::take(&mut self.emptied);
        for (at, item) in visit.items.iter().enumerate() {
            let fetched = matches!(item.evidence, crate::node::Evidence::Fetched(_));
            let known = self.assets.find(item.asset);
            let added = || fetched.then(|| self.add_asset((item.asset, item.stem), visit.site, visit.opened)).flatten();
            let Some(asset) = known.or_else(added) else { continue };
            let stem = self.assets.pin(asset);
            self.find(&mut findings, Finding::new((asset, item.asset, stem), (at, at), item.evidence));
        }
        let (network, seconds) = (visit.network, seconds(visit.opened));
        for finding in findings.list.iter().filter(|finding| finding.is_fetched()) {
            if names.is_personal(finding.hash) {
                self.assets.set_personal(finding.asset);
            }
            self.assets.saw(finding.asset, &Sighting { metadata: None, network, seconds }, || "");
            let shown = self.show_if_passed(finding.asset, finding.hash);
            let awaited = !shown && self.assets.has_passed(finding.asset);
            if let (true, Some(accumulator)) = (awaited, &mut self.accumulator) {
                let page = visit.page;
                let nodes = [Some(page.path), Some(page.section), page.template, page.query];
                accumulator.names.wait(finding.hash, nodes.into_iter().flatten());
            }
        }
        findings
    }

    /// Shows an asset that has passed the gate by what other servers have seen, if its name is known here, and has it
    /// told to those that do not know it. Whether it is shown.
    fn show_if_passed(&mut self, id: AssetId, hash: u64) -> bool {
        let Some(asset) = self.assets.get(id) else { return false };
        if asset.shown.as_ref().is_some_and(|shown| shown.metadata().is_some()) {
            return true;
        }
        let kept = self.accumulator.as_ref().and_then(|accumulator| accumulator.names.pending(hash));
        let Some((path, metadata)) = kept.and_then(|kept| Some((kept.path.clone(), kept.metadata?))) else {
            return false;
        };
        let shown = self.assets.show_if_passed(id, &path, metadata);
        if let (true, Some(accumulator)) = (shown, &mut self.accumulator) {
            accumulator.tell(hash);
            for key in accumulator.names.arrived(hash) {
                self.mark_stale(key);
            }
        }
        shown
    }
}

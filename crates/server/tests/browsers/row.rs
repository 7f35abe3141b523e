//! What came of one page, and what is wrong with it.

use std::collections::BTreeSet;

use testkit::http2;

use super::bed::{Results, Seen};
use super::site::Page;
use super::ways::Document;

/// One page in one browser.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Targets of the 103, each with `as` or `rel`.
    pub(crate) hinted: Vec<String>,
    /// The same of `Link` on the 200.
    pub(crate) linked: Vec<String>,
    /// How often each asset is asked for: without help, by a stranger with it, and by the same browser coming back.
    pub(crate) asked: Vec<(&'static str, [usize; 3])>,
    /// Warnings and reports that are not there without help.
    pub(crate) warnings: Vec<String>,
    pub(crate) reports: usize,
    /// Targets that are assets of other pages.
    foreign: BTreeSet<String>,
    /// What is wrong, in words.
    pub(crate) faults: Vec<String>,
}

impl Row {
    pub(crate) fn of(page: &Page, results: &Results) -> Self {
        let path = |name: &str| format!("{}{name}", page.path());
        let count = |seen: &Seen, name: &str| seen.asked.get(&path(name)).copied().unwrap_or_default();
        let asked: Vec<_> = page
            .way
            .assets
            .iter()
            .map(|(name, _)| (*name, [&results.alone, &results.cold, &results.returning].map(|seen| count(seen, name))))
            .collect();
        let of_page = |seen: &Seen| -> Vec<String> {
            seen.console.iter().filter(|line| line.contains(&page.path())).cloned().collect()
        };
        let before = of_page(&results.alone).len();
        let later: Vec<String> = of_page(&results.cold).into_iter().chain(of_page(&results.returning)).collect();
        let warnings = if later.len() > 2 * before { later } else { Vec::new() };
        let reported = |seen: &Seen| seen.reports.iter().filter(|(dir, _)| *dir == page.dir).count();
        let all = reported(&results.cold) + reported(&results.returning);
        let reports = all.saturating_sub(2 * reported(&results.alone));
        let (hinted, linked) = results.links.get(&page.dir).cloned().unwrap_or_default();
        let named = [hinted.as_slice(), &linked].concat();
        let foreign = http2::targets(&named).into_iter().filter(|target| !target.starts_with(&page.path()));
        let foreign = foreign.map(str::to_owned).collect();
        let (hinted, linked) = (short(&hinted), short(&linked));
        let mut row = Self { hinted, linked, asked, warnings, reports, foreign, faults: Vec::new() };
        row.faults = row.find_faults(page);
        let failed = [&results.alone, &results.cold, &results.returning].into_iter().flat_map(|seen| &seen.failed);
        row.faults.extend(failed.filter(|why| why.starts_with(&page.dir)).cloned());
        row
    }

    fn find_faults(&self, page: &Page) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, [alone, cold, returning]) in &self.asked {
            if cold != alone {
                faults.push(format!("{name} asked for {cold} times, {alone} without help"));
            }
            let kept = page.fresh && page.way.fields.is_empty();
            let most = if kept { 0 } else { *alone };
            if *returning > most {
                faults.push(format!("{name} asked for {returning} times on return"));
            }
        }
        let named = |name: &str| self.hinted.iter().chain(&self.linked).any(|link| link.starts_with(name));
        match page.way.document {
            Document::Form(_) if named("b.css") => faults.push("names an asset of what a POST leads to".to_owned()),
            Document::ForUsers if named("a.") => faults.push("tells a stranger of a page for users".to_owned()),
            _ => {}
        }
        if !self.foreign.is_empty() {
            faults.push(format!("names {} assets of other pages", self.foreign.len()));
        }
        if let Some(first) = self.warnings.first() {
            faults.push(format!("{} warnings: {first}", self.warnings.len()));
        }
        if self.reports > 0 {
            faults.push(format!("{} reports", self.reports));
        }
        faults
    }
}

/// `a.js as=script crossorigin` for each link.
fn short(fields: &[String]) -> Vec<String> {
    let links = fields.iter().flat_map(|field| field.split(",<").flat_map(|part| part.split(", <")));
    links
        .map(|link| {
            let link = if link.starts_with('<') { link.to_owned() } else { format!("<{link}") };
            let target = http2::targets(std::slice::from_ref(&link)).first().map_or("?", |target| target).to_owned();
            let name = target.rsplit('/').next().unwrap_or_default().to_owned();
            let parameters = link.split_once('>').map_or("", |(_, rest)| rest);
            let words: Vec<&str> = parameters
                .split(';')
                .map(str::trim)
                .filter(|word| !word.is_empty() && *word != "rel=preload")
                .collect();
            [name, words.join(" ")].join(" ").trim().to_owned()
        })
        .collect()
}

//! The table of pages.

use headstart::learn::{PageWeight, Verdict};
use headstart_gain::Difference;
use maud::{Markup, html};

use super::super::gain::Gain;
use super::super::ledger::PageSummary;
use super::super::sources::Sources;
use super::chart::strip;
use super::format;
use super::layout::Section;
use super::query::{self, Query, ROWS, Sort};

/// Pages that are looked at; the heaviest.
const MAX_PAGES: usize = 1024;

pub(super) fn section(sources: &Sources, query: &Query) -> Section {
    let known = sources.headstart.pages(MAX_PAGES);
    let names = known.shown.iter().map(|page| (&*page.authority, &*page.path));
    let summaries = sources.ledger.summaries(names);
    let wanted = query.q.to_lowercase();
    let mut rows: Vec<_> = known.shown.iter().zip(summaries).filter(|(page, _)| matches(page, &wanted)).collect();
    order(&mut rows, query.sort());
    let from = query.from().min(rows.len());
    let shown: Vec<_> = rows.iter().skip(from).take(ROWS).collect();
    let body = html! {
        @if known.passed == 0 {
            p class="empty" {
                "No page has been loaded from enough networks yet (" (sources.min_networks) " are needed)."
                @if known.hidden > 0 { " " (known.hidden) " are on their way." }
            }
        } @else if rows.is_empty() {
            p class="empty" { "No page matches." }
        } @else {
            (table(sources, query, &shown))
            (pager(query, from, rows.len()))
            p class="note" {
                (format::count(known.passed as u64)) @if known.passed == 1 { " page" } @else { " pages" } " that may be named"
                @if known.hidden > 0 { "; " (format::count(known.hidden as u64)) " more from too few networks to be named" } "."
            }
        }
    };
    Section::new("pages", "Pages and what they pull in", body).lead(filter(query)).empty_if(known.passed == 0)
}

fn matches(page: &PageWeight, wanted: &str) -> bool {
    wanted.is_empty() || format!("{}{}", page.authority, page.path).to_lowercase().contains(wanted)
}

fn order(rows: &mut [(&PageWeight, PageSummary)], sort: Sort) {
    let key = |(page, summary): &(&PageWeight, PageSummary)| match sort {
        Sort::Gain => saved(summary).unwrap_or(f64::MIN),
        Sort::Held => f64::from(summary.counts.held),
        Sort::Hinted => f64::from(summary.counts.hinted) + f64::from(summary.counts.linked),
        Sort::Page => 0.0,
        Sort::Pushed => f64::from(summary.counts.pushed),
        Sort::Views => summary.views as f64,
        Sort::Wasted => summary.counts.wasted_bytes as f64,
        Sort::Weight => f64::from(page.weight),
    };
    rows.sort_by(|a, b| {
        let names = |page: &PageWeight| (page.authority.clone(), page.path.clone());
        key(b).total_cmp(&key(a)).then_with(|| names(a.0).cmp(&names(b.0)))
    });
}

fn saved(summary: &PageSummary) -> Option<f64> {
    Some(summary.without? - summary.with?)
}

fn filter(query: &Query) -> Markup {
    html! {
        form class="filter" method="get" action="/" role="search" {
            label { "Filter " input type="search" name="q" value=(query.q) placeholder="part of a host or path" maxlength="200"; }
            @for (name, value) in [("sort", &query.sort), ("span", &query.span)] {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
            button { "Show" }
            @if !query.q.is_empty() { " " a href=(query.with("q", "")) { "all" } }
        }
    }
}

fn table(sources: &Sources, query: &Query, rows: &[&(&PageWeight, PageSummary)]) -> Markup {
    let columns = [
        (Sort::Page, "Page"),
        (Sort::Weight, "Weight"),
        (Sort::Views, "Views"),
        (Sort::Pushed, "Pushed"),
        (Sort::Hinted, "Hinted"),
        (Sort::Held, "Held"),
        (Sort::Wasted, "Wasted"),
        (Sort::Gain, "Sooner, median"),
    ];
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Table of pages" {
            table {
                thead { tr {
                    @for (sort, name) in columns {
                        th scope="col" class=[(sort != Sort::Page).then_some("number")] aria-sort=[(query.sort() == sort).then_some(if sort == Sort::Page { "ascending" } else { "descending" })] {
                            a href=(query.with("sort", sort.name())) { (name) }
                        }
                        @if sort == Sort::Page { th scope="col" { "Assets, by chance" } }
                    }
                } }
                tbody {
                    @for (page, summary) in rows { (row(sources, page, summary)) }
                }
            }
        }
    }
}

fn row(sources: &Sources, page: &PageWeight, summary: &PageSummary) -> Markup {
    let explanation = sources.headstart.explain(&page.authority, &page.path).unwrap_or_default();
    let chances: Vec<_> = explanation
        .assets
        .iter()
        .take(24)
        .map(|asset| (asset.probability, asset.verdict == Verdict::Planned))
        .collect();
    let planned = explanation.assets.iter().filter(|asset| asset.verdict == Verdict::Planned).count();
    let counts = &summary.counts;
    html! {
        tr {
            th scope="row" {
                a href=(query::detail(&page.authority, &page.path)) { (page.path) }
                span class="host" { (page.authority) }
            }
            td { (strip(&chances, &format!("{planned} of {} assets planned", explanation.assets.len()))) }
            td class="number" { (format!("{:.1}", page.weight)) }
            td class="number" { (format::count(summary.views)) }
            td class="number" { (format::count(counts.pushed.into())) }
            td class="number" { (format::count(u64::from(counts.hinted) + u64::from(counts.linked))) }
            td class="number" { (format::count(counts.held.into())) }
            td class="number" { @if counts.wasted_bytes == 0 { "0" } @else { (format::bytes(counts.wasted_bytes)) } }
            td class="number" {
                @match gain(sources, page) {
                    Some(found) => {
                        @let (low, saved, high) = found.seconds();
                        @if found.is_certain() { (format::signed_millis(saved * 1000.0)) } @else { "not certain" }
                        span class="host" { (format::signed_millis(low * 1000.0)) " to " (format::signed_millis(high * 1000.0)) }
                    }
                    None => { span class="quiet" { "too few views" } }
                }
            }
        }
    }
}

/// The difference of the medians of a page.
fn gain(sources: &Sources, page: &PageWeight) -> Option<Difference> {
    let figures = sources.ledger.figures(&page.authority, &page.path)?;
    let [median, ..] = Gain::differences(&figures, |_| true);
    median
}

fn pager(query: &Query, from: usize, all: usize) -> Markup {
    html! {
        @if all > ROWS {
            p class="choices" {
                @if from > 0 { a href=(query.with("from", &from.saturating_sub(ROWS).to_string())) rel="prev" { "heavier" } " " }
                (from + 1) " to " (all.min(from + ROWS)) " of " (format::count(all as u64))
                @if from + ROWS < all { " " a href=(query.with("from", &(from + ROWS).to_string())) rel="next" { "more" } }
            }
        }
    }
}

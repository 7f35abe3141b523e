//! One page: what it is worth, when its assets come, and why each is sent or not.

use headstart::learn::{AssetWeight, Explanation, Level, LevelWeight, Verdict};
use maud::{Markup, html};

use super::super::ledger::{AssetCounts, Figures, PageRecord};
use super::super::sources::Sources;
use super::chart::{Row, waterfall};
use super::format;
use super::gain;
use super::layout::{Section, ordered};
use super::query::Query;
use crate::reasons_text::{Reason, reasons};

/// The lower bound from which an asset is pushed by default, not only hinted.
const PUSHED_FROM: f32 = 0.4;
/// Assets of the waterfall.
const BARS: usize = 24;

/// The sections of a page; `None` if it may not be named, whether it exists or not.
pub(super) fn sections(sources: &Sources, query: &Query) -> Option<Vec<Section>> {
    let authority = query.host.to_ascii_lowercase();
    let explanation = sources.headstart.explain(&authority, &query.page).filter(|explanation| explanation.named)?;
    let weight = explanation.levels.iter().find(|level| level.level == Level::Page).copied()?;
    let record = sources.ledger.page(&authority, &query.page);
    let none = Figures::default();
    let gain = gain::of_page(sources, record.as_ref().map_or(&none, |record| &record.figures));
    let timeline = timeline(sources, &explanation, record.as_ref());
    let mut sections = vec![Section::new("summary", "This page", summary(weight, &explanation, record.as_ref()))];
    sections.extend(sources.measurement.aa.then(|| gain::of_aa(sources)).flatten());
    sections.push(gain);
    sections.push(Section::new("waterfall", "When its assets come", timeline.body).empty_if(timeline.is_empty));
    sections.push(Section::new("assets", "What it pulls in", assets(sources, &explanation, record.as_ref())));
    let unlearned = reasons(&explanation.reasons);
    sections.push(
        Section::new("unlearned", "What taught nothing", unlearned_table(&unlearned)).empty_if(unlearned.is_empty()),
    );
    Some(ordered(sections))
}

/// Why views and assets of the page taught nothing.
fn unlearned_table(reasons: &[Reason]) -> Markup {
    html! {
        @if reasons.is_empty() {
            p class="empty" { "All that was seen of this page counts." }
        } @else {
            div class="scroll" tabindex="0" role="region" aria-label="Table of what taught nothing" {
                table {
                    thead { tr { th scope="col" { "What, and why" } th scope="col" class="number" { "Times" } } }
                    tbody {
                        @for reason in reasons {
                            tr { th scope="row" { (reason.text) } td class="number" { (format::count(reason.count)) } }
                        }
                    }
                }
            }
        }
    }
}

fn summary(weight: LevelWeight, explanation: &Explanation, record: Option<&PageRecord>) -> Markup {
    let planned = explanation.assets.iter().filter(|asset| asset.verdict == Verdict::Planned).count();
    let bytes: u64 = explanation.assets.iter().filter(|a| a.verdict == Verdict::Planned).map(|a| a.bytes).sum();
    html! {
        div class="cards" {
            div class="card" { h3 { "Weight" } p class="big" { (format!("{:.1}", weight.weight)) }
                p { "of " (format::count(weight.visits.into())) " learned visits, as old ones fade" } }
            div class="card" { h3 { "Views" } p class="big" { (format::count(record.map_or(0, PageRecord::views))) }
                p { (format::count(record.map_or(0, PageRecord::held_out))) " of them held out" } }
            div class="card" { h3 { "Planned" } p class="big" { (planned) " assets" }
                p { (format::bytes(bytes)) " of " (explanation.assets.len()) " known assets"
                    @if explanation.hidden > 0 { "; " (explanation.hidden) " seen from too few networks" } } }
        }
    }
}

/// A part of a page, and whether there is nothing to see in it.
struct Timeline {
    body: Markup,
    is_empty: bool,
}

fn timeline(sources: &Sources, explanation: &Explanation, record: Option<&PageRecord>) -> Timeline {
    let heads = record.map(|record| (&record.timings, record.timings.head(false), record.timings.head(true)));
    let Some((timings, ..)) = heads.filter(|(_, with, without)| with.is_some() || without.is_some()) else {
        return Timeline { body: html! { p class="empty" { "No timed views since the start." } }, is_empty: true };
    };
    let page = Row { name: "the page itself".to_owned(), with: timings.head(false), without: timings.head(true) };
    let mut rows: Vec<_> = explanation
        .assets
        .iter()
        .map(|asset| {
            let key = sources.ledger.asset_key(&asset.path);
            Row { name: asset.path.to_string(), with: timings.asset(false, key), without: timings.asset(true, key) }
        })
        .filter(|row| row.with.is_some() || row.without.is_some())
        .collect();
    rows.sort_by_key(|row| row.without.or(row.with).map(|bar| (bar.start, bar.end)));
    rows.truncate(BARS);
    let missing = page.without.is_none();
    rows.insert(0, page);
    let body = html! {
        p class="legend" {
            span { svg class="key" width="10" height="10" aria-hidden="true" { rect class="without" width="10" height="10" {} } " without help" }
            span { svg class="key" width="10" height="10" aria-hidden="true" { rect class="with" width="10" height="10" {} } " with help" }
        }
        p class="note" {
            "Medians of recent views of cold clients, of a busy page one in ten seconds: from when the server was asked for an asset, or promised it, until its last \
             byte was handed to the connection. Zero is the arrival of the navigation."
            @if missing { " No held-out view of this page has been timed yet." }
        }
        (waterfall(&rows))
    };
    Timeline { body, is_empty: false }
}

fn assets(sources: &Sources, explanation: &Explanation, record: Option<&PageRecord>) -> Markup {
    let counts = |asset: &AssetWeight| -> AssetCounts {
        let key = sources.ledger.asset_key(&asset.path);
        record.and_then(|record| record.assets.iter().find(|counts| counts.key == key)).copied().unwrap_or_default()
    };
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Table of assets" {
            table {
                thead { tr {
                    th scope="col" { "Asset" } th scope="col" { "Chance, and its lower bound" } th scope="col" { "Decision" }
                    @for name in ["Size", "Evidence", "Networks", "Pushed", "Hinted", "Held", "Wasted"] { th scope="col" class="number" { (name) } }
                } }
                tbody { @for asset in &explanation.assets { (asset_row(asset, &counts(asset))) } }
            }
        }
        @if explanation.hidden > 0 {
            p class="note" { (explanation.hidden) " more assets have been seen from too few networks to be named." }
        }
    }
}

fn asset_row(asset: &AssetWeight, counts: &AssetCounts) -> Markup {
    let chance = format!("{:.1}", 100.0 * asset.probability);
    let bound = 120.0 * asset.lower_bound.clamp(0.0, 1.0);
    html! {
        tr {
            th scope="row" { span class="path" { (asset.path) } span class="host" { (asset.destination.as_str()) } }
            td {
                svg class="chance" width="120" height="12" role="img" aria-label=(format!("{chance} %, at least {:.1} %", 100.0 * asset.lower_bound)) {
                    rect class="rail" width="120" height="12" rx="2" {}
                    rect class="sky" width=(format!("{:.1}", 120.0 * asset.probability.clamp(0.0, 1.0))) height="12" rx="2" {}
                    rect class="with" width=(format!("{bound:.1}")) height="12" rx="2" {}
                }
                " " (chance) " %"
            }
            td { (decision(asset)) }
            td class="number" { @if asset.bytes == 0 { "?" } @else { (format::bytes(asset.bytes)) } }
            td class="number" { (format!("{:.1} of {:.1}", asset.hits, asset.effective)) }
            td class="number" { (asset.networks) }
            td class="number" { (format::count(counts.pushed.into())) }
            td class="number" { (format::count(u64::from(counts.hinted) + u64::from(counts.linked))) }
            td class="number" { (format::count(counts.held.into())) }
            td class="number" { @if counts.wasted == 0 { "0" } @else { (format::count(counts.wasted.into())) " (" (format::bytes(counts.wasted_bytes)) ")" } }
        }
    }
}

fn decision(asset: &AssetWeight) -> &'static str {
    match asset.verdict {
        Verdict::Planned if asset.lower_bound >= PUSHED_FROM => "push or hint",
        Verdict::Planned => "hint only",
        Verdict::BelowThreshold => "not likely enough",
        Verdict::BeyondLimit => "the plan is full",
        Verdict::FewNetworks => "too few networks",
        Verdict::FewVisits => "too few visits",
        _ => "nothing",
    }
}

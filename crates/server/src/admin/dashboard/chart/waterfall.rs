//! When each asset of a page comes, with help and without.

use maud::{Markup, html};

use super::super::format;
use super::{anchor, labelled, percent, ticks};
use crate::admin::ledger::Bar;

/// One asset, or the page itself.
pub(in crate::admin::dashboard) struct Row {
    pub(in crate::admin::dashboard) name: String,
    pub(in crate::admin::dashboard) with: Option<Bar>,
    pub(in crate::admin::dashboard) without: Option<Bar>,
}

/// A row for each asset with a bar of either kind, over one axis.
pub(in crate::admin::dashboard) fn waterfall(rows: &[Row]) -> Markup {
    let bars = rows.iter().flat_map(|row| [row.with, row.without]).flatten();
    let ticks = ticks(bars.map(|bar| millis(bar.end)).fold(0.0, f64::max));
    let top = ticks.last().copied().unwrap_or(1.0);
    let grid = |height: &str| {
        html! {
            @for tick in &ticks {
                line class="grid" x1=(percent(tick / top)) x2=(percent(tick / top)) y1="0" y2=(height) {}
            }
        }
    };
    html! {
        ol class="waterfall" {
            li class="axis" aria-hidden="true" {
                span {}
                svg width="100%" height="20" {
                    @for tick in labelled(&ticks) {
                        text class="tick" x=(percent(tick / top)) y="14" text-anchor=(anchor(tick / top)) { (format::millis(tick)) }
                    }
                }
            }
            @for row in rows {
                li {
                    span class="name" title=(row.name) { (row.name) }
                    svg width="100%" height="26" role="img" aria-label=(describe(row)) {
                        (grid("26"))
                        @for (bar, class, y) in [(row.without, "without", "4"), (row.with, "with", "14")] {
                            @if let Some(bar) = bar {
                                @let (start, end) = (millis(bar.start), millis(bar.end));
                                rect class=(class) x=(percent(start / top)) width=(percent(((end - start) / top).max(0.004))) y=(y) height="9" rx="2" {
                                    title { (class) " help: " (format::millis(start)) " to " (format::millis(end)) ", median of " (bar.views) " views" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn describe(row: &Row) -> String {
    let one = |kind: &str, bar: Option<Bar>| match bar {
        Some(bar) => {
            format!("{kind} help from {} to {}", format::millis(millis(bar.start)), format::millis(millis(bar.end)))
        }
        None => format!("{kind} help not seen"),
    };
    format!("{}: {}, {}", row.name, one("without", row.without), one("with", row.with))
}

fn millis(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

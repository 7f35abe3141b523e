//! Counts over time, stacked.

use maud::{Markup, html};

use super::super::format;
use super::{anchor, byte_ticks, percent, ticks};

/// One kind of what is stacked.
pub(in crate::admin::dashboard) struct Stack<'a> {
    pub(in crate::admin::dashboard) name: &'a str,
    /// Class of its colour.
    pub(in crate::admin::dashboard) class: &'a str,
    /// From the oldest slot to the present one.
    pub(in crate::admin::dashboard) values: Vec<f64>,
}

/// The unit of the bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin::dashboard) enum Scale {
    Bytes,
    Things,
}

impl Scale {
    fn ticks(self, max: f64) -> Vec<f64> {
        if self == Scale::Bytes { byte_ticks(max) } else { ticks(max.max(4.0)) }
    }

    fn write(self, value: f64) -> String {
        let value = value.round() as u64;
        if self == Scale::Bytes { format::bytes(value) } else { format::count(value) }
    }
}

/// Height of the plot, and what is left below it for the axis.
const HEIGHT: f64 = 130.0;
const AXIS: f64 = 22.0;

/// A part of a column.
struct Column<'a> {
    slot: usize,
    class: &'a str,
    top: f64,
    bottom: f64,
}

/// Stacked columns from `since` ago until now, with a legend that has the sums.
pub(in crate::admin::dashboard) fn bars(stacks: &[Stack<'_>], since: &str, scale: Scale) -> Markup {
    let slots = stacks.first().map_or(0, |stack| stack.values.len());
    let of_slot = |slot: usize| stacks.iter().map(move |stack| stack.values.get(slot).copied().unwrap_or_default());
    let highest = (0..slots).map(|slot| of_slot(slot).sum::<f64>()).fold(0.0, f64::max);
    let ticks = scale.ticks(highest);
    let top = ticks.last().copied().unwrap_or(1.0);
    let y = |value: f64| HEIGHT - value / top * (HEIGHT - 12.0);
    let width = 1.0 / slots.max(1) as f64;
    let mut columns = Vec::new();
    for slot in 0..slots {
        let mut below = 0.0;
        for (stack, value) in stacks.iter().zip(of_slot(slot)).filter(|(_, value)| *value > 0.0) {
            columns.push(Column { slot, class: stack.class, bottom: y(below), top: y(below + value) });
            below += value;
        }
    }
    let sums: Vec<f64> = stacks.iter().map(|stack| stack.values.iter().sum()).collect();
    let described: Vec<_> =
        stacks.iter().zip(&sums).map(|(stack, sum)| format!("{} {}", stack.name, scale.write(*sum))).collect();
    html! {
        figure class="plot" {
            svg width="100%" height=(HEIGHT + AXIS) role="img" aria-label=(format!("The last {since}: {}", described.join(", "))) {
                @for tick in &ticks {
                    line class="grid" x1="0" x2="100%" y1=(format::fixed(y(*tick))) y2=(format::fixed(y(*tick))) {}
                }
                @for column in &columns {
                    rect class=(column.class) x=(percent(column.slot as f64 * width)) width=(percent(width * 0.82))
                        y=(format::fixed(column.top)) height=(format::fixed((column.bottom - column.top).max(1.0))) {}
                }
                @for tick in ticks.iter().skip(1).step_by(2) {
                    text class="tick" x="0" y=(format::fixed(y(*tick) - 3.0)) { (scale.write(*tick)) }
                }
                @for (share, text) in [(0.0, since), (1.0, "now")] {
                    text class="tick" x=(percent(share)) y=(HEIGHT + 16.0) text-anchor=(anchor(share)) {
                        (text) @if share < 0.5 { " ago" }
                    }
                }
            }
            figcaption class="legend" {
                @for (stack, sum) in stacks.iter().zip(&sums) {
                    span { svg class="key" width="10" height="10" aria-hidden="true" { rect class=(stack.class) width="10" height="10" {} }
                        " " (stack.name) " " b { (scale.write(*sum)) } }
                }
            }
        }
    }
}

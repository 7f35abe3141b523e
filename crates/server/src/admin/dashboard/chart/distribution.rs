//! Two distributions over one axis: with help and without.

use std::fmt::Write as _;

use headstart_gain::{Sketch, bounds};
use maud::{Markup, html};

use super::super::format;
use super::{anchor, labelled, percent, ticks};
use crate::admin::gain::Gain;
use crate::admin::median::median;

/// Points of a curve.
const POINTS: usize = 160;
/// Height of one curve.
const HEIGHT: f64 = 76.0;

/// Densities of both kinds, each with its median, in the unit that fits.
pub(in crate::admin::dashboard) fn distribution(gain: &Gain) -> Markup {
    // A few stragglers would squeeze the rest into a corner.
    let most = |sketch: &Sketch| sketch.quantile(0.97).unwrap_or(0.0) * 1000.0;
    let end = most(&gain.with).max(most(&gain.without)) * 1.15;
    let ticks = ticks(end);
    let top = ticks.last().copied().unwrap_or(1.0);
    let curves = [("Without help", "without", &gain.without), ("With help", "with", &gain.with)];
    html! {
        figure class="plot" {
            svg width="100%" height=(2.0 * HEIGHT + 42.0) role="img" aria-label=(describe(gain)) {
                @for tick in &ticks {
                    line class="grid" x1=(percent(tick / top)) x2=(percent(tick / top)) y1="0" y2=(2.0 * HEIGHT + 22.0) {}
                }
                @for tick in labelled(&ticks) {
                    text class="tick" x=(percent(tick / top)) y=(2.0 * HEIGHT + 38.0) text-anchor=(anchor(tick / top)) {
                        (format::millis(tick))
                    }
                }
                @for (number, (name, class, sketch)) in curves.iter().enumerate() {
                    @let base = (number + 1) as f64 * (HEIGHT + 8.0);
                    svg x="0" y=(base - HEIGHT) width="100%" height=(HEIGHT) viewBox=(format!("0 0 1000 {HEIGHT}")) preserveAspectRatio="none" {
                        path class=(class) d=(area(&density(sketch, top))) {}
                    }
                    line class="base" x1="0" x2="100%" y1=(base) y2=(base) {}
                    @if let Some(median) = median(sketch) {
                        @let place = (median / top).min(1.0);
                        line class=(format!("median {class}")) x1=(percent(place)) x2=(percent(place)) y1=(base - HEIGHT + 16.0) y2=(base) {}
                        text class="label" x=(percent(place)) dx=(if place > 0.5 { "-6" } else { "6" }) y=(base - HEIGHT + 11.0)
                            text-anchor=(if place > 0.5 { "end" } else { "start" }) {
                            (name) ": " tspan class="strong" { (format::millis(median)) } " (" (sketch.views()) ")"
                        }
                    }
                }
            }
        }
    }
}

fn describe(gain: &Gain) -> String {
    let one = |sketch: &Sketch| match median(sketch) {
        Some(median) => format!("median {} of {} views", format::millis(median), sketch.views()),
        None => "no views yet".to_owned(),
    };
    format!("Time to the last asset: with help {}, without {}", one(&gain.with), one(&gain.without))
}

/// A Gaussian kernel estimate over equal steps from 0 to `top` milliseconds, with Silverman's bandwidth, of the middles of the
/// bins.
fn density(sketch: &Sketch, top: f64) -> Vec<f64> {
    let (Some(low), Some(high)) = (sketch.quantile(0.25), sketch.quantile(0.75)) else { return vec![0.0; POINTS] };
    let spread = (1000.0 * (high - low) / 1.349).max(top / 200.0);
    let bandwidth = (0.9 * spread * sketch.effective().max(1.0).powf(-0.2)).max(top / 150.0);
    let at = |place: f64| {
        let near = sketch.shares().map(|(bin, share)| {
            let (low, high) = bounds(bin);
            let z = (place - 1000.0 * f64::midpoint(low, high)) / bandwidth;
            share * (-0.5 * z * z).exp()
        });
        near.sum::<f64>() / bandwidth
    };
    (0..POINTS).map(|point| at(point as f64 / (POINTS - 1) as f64 * top)).collect()
}

/// As high as there is room: what matters is where the views lie.
fn area(density: &[f64]) -> String {
    let highest = density.iter().copied().fold(0.0, f64::max);
    let mut path = format!("M0 {HEIGHT}");
    let last = density.len().saturating_sub(1).max(1) as f64;
    for (point, value) in density.iter().enumerate() {
        let share = if highest > 0.0 { value / highest } else { 0.0 };
        // Writing to a string does not fail.
        let _ = write!(path, "L{:.1} {:.1}", point as f64 / last * 1000.0, HEIGHT - share * (HEIGHT - 16.0));
    }
    let _ = write!(path, "L1000 {HEIGHT}Z");
    path
}

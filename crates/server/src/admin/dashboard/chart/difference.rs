//! A difference and how sure it is.

use headstart_gain::Difference;
use maud::{Markup, html};

use super::super::format;
use super::{anchor, percent, ticks};

/// The interval around its middle, with zero in sight.
pub(in crate::admin::dashboard) fn difference(difference: &Difference) -> Markup {
    let (low, median, high) = difference.seconds();
    let (low, median, high) = (low * 1000.0, median * 1000.0, high * 1000.0);
    let (ticks_right, ticks_left) = (ticks(high.max(0.0) * 1.05), ticks((-low).max(0.0) * 1.05));
    let right = if high > 0.0 { ticks_right.last().copied().unwrap_or(1.0) } else { 0.0 };
    let left = if low < 0.0 { ticks_left.last().copied().unwrap_or(1.0) } else { 0.0 };
    let span = (left + right).max(f64::MIN_POSITIVE);
    let place = |value: f64| (value + left) / span;
    let marks = ticks_left.iter().filter(|_| left > 0.0).map(|tick| -tick).chain(ticks_right.iter().copied());
    let mut marks: Vec<f64> = marks.filter(|mark| *mark >= -left && *mark <= right).collect();
    // Two scales side by side may crowd, and so does one on a phone.
    if marks.len() > 5 {
        let keep = |(number, mark): (usize, f64)| (number % 2 == 0 || mark == 0.0).then_some(mark);
        marks = marks.into_iter().enumerate().filter_map(keep).collect();
    }
    let what = format!(
        "{} sooner, 95% confidence interval from {} to {}",
        format::millis(median),
        format::millis(low),
        format::millis(high)
    );
    html! {
        figure class="plot" {
            svg width="100%" height="62" role="img" aria-label=(what) {
                @for mark in marks {
                    @let share = place(mark);
                    line class=(if mark == 0.0 { "zero" } else { "grid" }) x1=(percent(share)) x2=(percent(share)) y1="0" y2="42" {}
                    text class="tick" x=(percent(share)) y="58" text-anchor=(anchor(share)) { (format::signed_millis(mark)) }
                }
                line class="interval" x1=(percent(place(low))) x2=(percent(place(high))) y1="22" y2="22" {}
                @for end in [low, high] {
                    line class="interval" x1=(percent(place(end))) x2=(percent(place(end))) y1="15" y2="29" {}
                }
                circle class="point" cx=(percent(place(median))) cy="22" r="6" {}
            }
        }
    }
}

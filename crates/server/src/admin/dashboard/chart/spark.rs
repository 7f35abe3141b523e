//! Small plots without axes.

use maud::{Markup, html};

use super::percent;

/// Values over time, as columns.
pub(in crate::admin::dashboard) fn spark(values: &[f64], what: &str) -> Markup {
    let max = values.iter().copied().fold(0.0, f64::max);
    let width = 1.0 / values.len().max(1) as f64;
    html! {
        svg class="spark" width="100%" height="36" role="img" aria-label=(what) {
            @for (at, value) in values.iter().enumerate() {
                @if *value > 0.0 {
                    @let height = (value / max * 34.0).max(1.5);
                    rect class="ink" x=(percent(at as f64 * width)) width=(percent(width * 0.8)) y=(format!("{:.1}", 35.0 - height))
                        height=(format!("{height:.1}")) {}
                }
            }
            line class="base" x1="0" x2="100%" y1="35.5" y2="35.5" {}
        }
    }
}

/// Chances, each a column as high as it is likely; those from which something is sent early are full.
pub(in crate::admin::dashboard) fn strip(chances: &[(f32, bool)], what: &str) -> Markup {
    let width = 6 * chances.len();
    html! {
        svg class="strip" width=(width) height="18" role="img" aria-label=(what) {
            title { (what) }
            @for (at, (chance, planned)) in chances.iter().enumerate() {
                @let height = (chance * 17.0).max(1.0);
                rect class=(if *planned { "ink" } else { "faint" }) x=(6 * at) width="4" y=(format!("{:.1}", 18.0 - height))
                    height=(format!("{height:.1}")) {}
            }
        }
    }
}

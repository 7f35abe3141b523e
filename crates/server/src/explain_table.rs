//! The explanation of a page, for people.

use std::fmt::Write as _;

use headstart::KnowledgeText;
use headstart::learn::{AssetWeight, Explanation, Knowledge, Verdict};
use indicatif::HumanBytes;

use crate::reasons_text::{Reason, reasons};

/// The lower bound from which a planned asset is pushed, not only hinted.
const PUSHED_FROM: f32 = 0.4;

/// The evidence for each asset, and what is decided.
pub(crate) fn table(authority: &str, page: &str, explanation: &Explanation) -> String {
    let mut text = String::new();
    if explanation.levels.is_empty() {
        let _ = match explanation.state {
            Knowledge::Unknown | Knowledge::Known => {
                writeln!(text, "nothing is known of {page} on {authority}, nor of pages like it")
            }
            state => writeln!(text, "{page} on {authority}: {}", KnowledgeText(state)),
        };
        unlearned(&mut text, explanation);
        return text;
    }
    if explanation.state != Knowledge::Known {
        let _ = writeln!(text, "{}\n", KnowledgeText(explanation.state));
    }
    for level in &explanation.levels {
        let name = format!("{:?}", level.level).to_lowercase();
        let _ = writeln!(text, "{name:<9} N {:>9.2} of {} visits", level.weight, level.visits);
    }
    let _ = writeln!(
        text,
        "\n{:>8} {:>8} {:>8} {:>6} {:>6} {:>8} {:>6} {:>10}  {:<28} asset",
        "h", "m", "n", "p", "LCB", "networks", "order", "size", "decision"
    );
    for asset in &explanation.assets {
        row(&mut text, asset);
    }
    if explanation.hidden > 0 {
        let _ = writeln!(text, "{} more assets have been seen from too few networks to be named", explanation.hidden);
    }
    unlearned(&mut text, explanation);
    text
}

/// Why views and assets of the page taught nothing.
fn unlearned(text: &mut String, explanation: &Explanation) {
    let reasons = reasons(&explanation.reasons);
    if !reasons.is_empty() {
        let _ = writeln!(text, "\nwhat taught nothing:");
    }
    for Reason { count, text: why, .. } in reasons {
        let _ = writeln!(text, "{count:>9} {why}");
    }
}

fn row(text: &mut String, asset: &AssetWeight) {
    let size = if asset.bytes == 0 { "?".to_owned() } else { HumanBytes(asset.bytes).to_string() };
    let _ = writeln!(
        text,
        "{:>8.2} {:>8.2} {:>8.2} {:>6.3} {:>6.3} {:>8} {:>6.1} {size:>10}  {:<28} {}",
        asset.hits,
        asset.mute,
        asset.effective,
        asset.probability,
        asset.lower_bound,
        asset.networks,
        asset.rank,
        decision(asset),
        asset.path
    );
}

/// The decision on an asset, and why.
fn decision(asset: &AssetWeight) -> &'static str {
    match asset.verdict {
        Verdict::Planned if asset.lower_bound >= PUSHED_FROM => "push or hint",
        Verdict::Planned => "hint: LCB below 0.4",
        Verdict::BelowThreshold => "nothing: LCB below 0.25",
        Verdict::BeyondLimit => "nothing: the plan is full",
        Verdict::FewNetworks => "nothing: too few networks",
        Verdict::FewVisits => "nothing: too few visits",
        Verdict::Alternative => "nothing: one of alternatives",
        Verdict::Late => "nothing: asked for late",
        _ => "nothing",
    }
}

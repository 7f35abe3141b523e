//! From the model to a plan.

use std::cmp::Reverse;

use crate::alternatives::alternatives;
use crate::assets::Assets;
use crate::clock::Tick;
use crate::config::Config;
use crate::decay::Decay;
use crate::directory::Shown;
use crate::estimate::{Estimate, estimates};
use crate::networks::networks_needed;
use crate::node::Node;
use crate::observation::ClientClass;
use crate::published::{Choice, Published};
use crate::sync::Arc;
use crate::time::Time;
use crate::verdict::Verdict;
use crate::witnesses::{Scope, Witness};

/// When, by the caller's clock and by the learner's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) time: Time,
    pub(crate) tick: Tick,
}

/// The decision on one asset that may be shown.
pub(crate) type Decided = (Estimate, Arc<Shown>, Verdict);

/// Lower bound from which an asset is planned that is asked for only after the page has fallen silent:
/// nearly every view has to ask for it, as a script does, and not a click.
const LATE_THRESHOLD: f32 = 0.75;

/// A plan for clients of `class`, from the nodes of a page from coarse to fine. `version` is that of the directory.
pub(crate) fn build(
    nodes: &[&Node],
    assets: &Assets,
    config: &Config,
    (decay, now): (Decay, Now),
    class: ClientClass,
    version: u64,
) -> Published {
    let key = nodes.last().map_or(0, |node| node.key);
    let decided = decide(nodes, assets, config, (decay, now.tick), class);
    let known: Vec<(Arc<Shown>, bool)> =
        decided.iter().map(|(estimate, shown, _)| (Arc::clone(shown), estimate.has_evidence())).collect();
    let mut planned: Vec<&Decided> =
        decided.iter().filter(|(_, shown, verdict)| *verdict == Verdict::Planned && shown.hash != key).collect();
    planned.sort_by(|(a, a_shown, _), (b, b_shown, _)| need(a, a_shown).cmp(&need(b, b_shown)));
    let chance = if planned.is_empty() { 0.0 } else { holdout_chance(nodes, &planned, (decay, now.tick)) };
    let chosen = planned.into_iter().map(|(e, shown, _)| {
        let choice = Choice { probability: e.probability, lower_bound: e.lower_bound, urgency: e.manner.urgency() };
        (Arc::clone(shown), choice)
    });
    Published::new(chosen, known, chance, (now.time, version))
}

/// Every asset that may be shown, the likeliest first, with what is decided of it.
pub(crate) fn decide(
    nodes: &[&Node],
    assets: &Assets,
    config: &Config,
    when: (Decay, Tick),
    class: ClientClass,
) -> Vec<Decided> {
    let gone = nodes.last().is_some_and(|node| node.is_gone(2.min(config.min_networks())));
    let visits = nodes.iter().map(|node| node.count).max().unwrap_or(0);
    let few_visits = gone || visits < config.min_visits();
    let known = estimates(nodes, assets, config, when, class);
    let networks: Vec<u8> =
        nodes.last().into_iter().flat_map(|node| node.witnesses.iter().map(Witness::network)).collect();
    let alternative = alternatives(&known, &networks, config.min_networks());
    let mut shown: Vec<_> = known
        .into_iter()
        .zip(alternative)
        .filter_map(|(e, alternative)| {
            let asset = assets.get(e.asset).filter(|asset| asset.is_live())?;
            Some((e, Arc::clone(asset.shown.as_ref()?), asset.personal, alternative))
        })
        .collect();
    // Where not all find room, it goes to the likelier, and among about as likely ones to those in need.
    shown.sort_by(|(a, a_shown, ..), (b, b_shown, ..)| {
        let tenth = |e: &Estimate| (e.lower_bound * 10.0).round() as u32;
        tenth(b).cmp(&tenth(a)).then_with(|| need(a, a_shown).cmp(&need(b, b_shown)))
    });
    let mut room = config.publish();
    let decided = shown.into_iter().map(|(estimate, shown, personal, alternative)| {
        let verdict = if few_visits {
            Verdict::FewVisits
        } else if estimate.networks.at_least() < networks_needed(config.min_networks(), personal) {
            Verdict::FewNetworks
        } else if estimate.lower_bound < config.hint_threshold() {
            Verdict::BelowThreshold
        } else if alternative {
            Verdict::Alternative
        } else if estimate.manner.is_late() && estimate.lower_bound < LATE_THRESHOLD {
            Verdict::Late
        } else if room == 0 {
            Verdict::BeyondLimit
        } else {
            room -= 1;
            Verdict::Planned
        };
        (estimate, shown, verdict)
    });
    decided.collect()
}

/// The order of need: by the urgency that clients give the requests, where they agree on it; what holds up
/// rendering (styles, scripts, fonts) before the rest, for a browser that waits for a stylesheet asks for the
/// images meanwhile, and for the font only then; in each part what clients ask for first; where they do not
/// agree on that to half a place, by destination; then what is likelier.
fn need<'a>(estimate: &Estimate, shown: &'a Shown) -> (u8, bool, u32, u8, Reverse<u32>, &'a str) {
    let destination = shown.metadata().unwrap_or_default().destination;
    // A script that nobody waits for never comes before what blocks.
    let waits = match estimate.manner.urgency() {
        Some(urgency) if urgency > 2 && destination.blocks_rendering() => 1,
        Some(_) | None => 0,
    };
    let likeliness = Reverse((estimate.lower_bound * 1000.0) as u32);
    let rank = (estimate.rank * 2.0).round() as u32;
    (waits, !destination.blocks_rendering(), rank, destination.urgency(), likeliness, &shown.path)
}

/// How often a page is held out where its evidence is settled, usually, and at most.
const SETTLED: f32 = 1.0 / 64.0;
const USUAL: f32 = 1.0 / 32.0;
const THIN: f32 = 1.0 / 8.0;
const MOST: f32 = 1.0 / 4.0;

/// More views are held out where little is known of what the page needs by itself, where that is
/// old, or where the latest such view contradicts the plan.
fn holdout_chance(nodes: &[&Node], planned: &[&Decided], (decay, tick): (Decay, Tick)) -> f32 {
    let Some(finest) = nodes.last().filter(|node| node.level.is_page()) else { return USUAL };
    if planned.iter().any(|(estimate, ..)| estimate.disputed) {
        return MOST;
    }
    let full = || finest.witnesses.iter().filter(|witness| witness.scope() == Scope::Full);
    let age = full().next_back().map_or(u64::MAX, |last| tick.0.saturating_sub(u64::from(last.second()) * 1000));
    let old = age > decay.half_life();
    match full().count() {
        0..4 => MOST,
        _ if old => MOST,
        4..8 => THIN,
        8..16 => USUAL,
        _ => SETTLED,
    }
}

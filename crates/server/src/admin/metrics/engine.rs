//! Metrics of what is learned and sent early.

use std::fmt;

use super::super::ledger::OUTCOMES;
use super::super::sources::Sources;
use super::families::Families;

pub(super) fn write(sources: &Sources, families: &mut Families<'_>) -> fmt::Result {
    let (stats, totals) = (sources.headstart.stats(), sources.ledger.totals());
    families.counter("views", "Pages shown.", stats.views)?;
    families.counter("views_held_out", "Pages shown without help, as evidence.", stats.held_out)?;
    families.counters(
        "assets",
        "Assets of pages, by what was decided: pushed, hinted in a 103, linked on the page only, held by the client.",
        [("pushed", stats.pushed), ("hinted", stats.hinted), ("linked", stats.linked), ("held", stats.held)]
            .map(|(decision, count)| (vec![("decision", decision)], count)),
    )?;
    let names = OUTCOMES.map(|outcome| outcome.to_string());
    families.counters(
        "pushes",
        "Pushes by what became of them; one that was finished may be cancelled afterwards.",
        names.iter().zip(totals.pushes).map(|(name, count)| (vec![("outcome", name.as_str())], count)),
    )?;
    families.counter("pushed_bytes", "Bytes of pushes that were sent whole.", totals.pushed_bytes)?;
    families.counter(
        "wasted_push_bytes",
        "Bytes of pushes that were cancelled or cut off: at most so many were sent for nothing.",
        totals.wasted_bytes,
    )?;
    families.counters(
        "unlearned",
        "Requests and responses that taught nothing, by reason.",
        sources.headstart.unlearned().iter().map(|(reason, count)| (vec![("reason", reason.name())], count)),
    )?;
    families.counter("corrupt_cookies", "Fingerprint cookies that could not be read.", stats.corrupt_cookies)?;
    families.counter("visits_timed", "Page views whose assets were timed to the end.", totals.visits)?;
    let reading = stats.reading;
    families.counters(
        "page_readings",
        "Copies of pages, by what became of them: read, of these ended_early (broken, too large, or not in their content \
         coding), and dropped because reading had its share of the time.",
        [("read", reading.read), ("ended_early", reading.ended_early), ("dropped", reading.dropped)]
            .map(|(outcome, count)| (vec![("outcome", outcome)], count)),
    )?;
    let beacons = sources.headstart.beacon_stats();
    families.counter("beacon_tokens", "Pages that carried a token for a beacon.", beacons.issued)?;
    let refused = beacons.refused().map(|(refusal, count)| (vec![("outcome", refusal.name())], count));
    families.counters(
        "beacons",
        "Beacons by what was made of them: taken, or why they changed no figure.",
        std::iter::once((vec![("outcome", "taken")], beacons.taken)).chain(refused),
    )?;
    learner(sources, families)
}

fn learner(sources: &Sources, families: &mut Families<'_>) -> fmt::Result {
    let stats = sources.headstart.learner().stats();
    families.counters(
        "visits",
        "Visits closed, by what was made of them: learned, not_a_page (it was not answered as one), silent (they said \
         nothing), repeated (their network had voted lately).",
        [
            ("learned", stats.learned),
            ("not_a_page", stats.reasons.not_a_page),
            ("repeated", stats.reasons.voted),
            ("silent", stats.reasons.no_assets),
        ]
        .map(|(outcome, count)| (vec![("outcome", outcome)], count)),
    )?;
    families.counters(
        "learner_unused",
        "What views and requests said that is not used in full, by reason.",
        [
            ("ambiguous", stats.reasons.ambiguous),
            ("cache_unknown", stats.reasons.cache_unknown),
            ("few_networks", stats.reasons.few_networks),
            ("late", stats.reasons.late),
            ("no_visit", stats.reasons.no_visit),
            ("page_full", stats.reasons.page_full),
        ]
        .map(|(reason, count)| (vec![("reason", reason)], count)),
    )?;
    families.gauge("learner_bytes", "Memory of what is learned.", stats.bytes as f64)?;
    families.gauge("learner_sites", "Sites known.", stats.sites as f64)?;
    families.gauge("learner_pages", "Pages, templates and sections known.", stats.pages as f64)?;
    families.gauge("learner_assets", "Assets known.", stats.assets as f64)?;
    families.gauge("learner_shown_assets", "Assets that have passed the network gate.", stats.shown_assets as f64)?;
    families.gauge("learner_edges", "Edges from pages to assets.", stats.edges as f64)?;
    families.gauge("learner_open_visits", "Visits open now.", stats.open_visits as f64)?;
    families.gauge("learner_plans", "Plans kept ready.", stats.plans as f64)?;
    families.counter("learner_evicted", "Pages that gave way to others.", stats.evicted)?;
    families.counter("learner_refused", "Pages and assets that found no room.", stats.reasons.no_room)?;
    families.counter("learner_renamed", "Assets recognised under a new fingerprint.", stats.renamed)?;
    let age = sources.snapshot_age().map(|age| (super::families::PLAIN, age.as_secs_f64()));
    families.gauges("snapshot_age_seconds", "Time since what was learned was last written to disk.", age)
}

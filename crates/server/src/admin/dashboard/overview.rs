//! The first page: how it goes, what it is worth, which pages there are.

use headstart::PushOutcome;
use maud::{Markup, html};

use super::super::gain::{ENOUGH, Gain};
use super::super::ledger::{OUTCOMES, Slot, Span};
use super::super::sources::Sources;
use super::chart::{Scale, Stack, bars, difference, distribution, spark};
use super::format;
use super::layout::Section;
use super::pages;
use super::query::Query;
use super::unlearned;
use super::upstreams;

pub(super) fn sections(sources: &Sources, query: &Query) -> Vec<Section> {
    let slots = sources.ledger.series(query.span());
    let gain = Gain::of(&sources.ledger.all_pages());
    let mut sections = vec![
        Section {
            id: "headline",
            title: "At a glance",
            lead: None,
            body: headline(sources, &gain, &slots, query.span()),
        },
        Section { id: "gain", title: "What the help is worth", lead: None, body: gain_body(&gain, "all pages") },
        Section {
            id: "activity",
            title: "Over time",
            lead: Some(span_links(query)),
            body: activity(&slots, query.span()),
        },
        pages::section(sources, query),
    ];
    sections.extend(unlearned::section(sources));
    sections.extend(upstreams::section(sources));
    sections
}

/// How long ago the first of these slots began.
fn since(slots: &[Slot], span: Span) -> String {
    format::age(slots.len() as u64 * span.slot().as_secs())
}

fn headline(sources: &Sources, gain: &Gain, slots: &[Slot], span: Span) -> Markup {
    let (stats, totals) = (sources.headstart.stats(), sources.ledger.totals());
    let learner = sources.headstart.learner().stats();
    let head = sources.traffic.head.read();
    let views: Vec<f64> = slots.iter().map(|slot| f64::from(slot.views)).collect();
    let latency = |share| head.quantile(share).map_or("–".to_owned(), |seconds| format::millis(seconds * 1000.0));
    let wasted = match totals.wasted_bytes {
        0 => "nothing wasted".to_owned(),
        bytes => format!("{} wasted at most", format::bytes(bytes)),
    };
    html! {
        div class="cards" {
            div class="card wide" {
                h3 { "Page views" }
                p class="big" { (format::count(stats.views)) }
                p { (format::count(stats.held_out)) " held out, as evidence" }
                (spark(&views, &format!("Page views over the last {}", since(slots, span))))
            }
            div class="card" {
                h3 { "Sooner, by the median" }
                @match gain.difference {
                    Some(difference) if difference.is_certain() => {
                        p class="big" { (format::millis(difference.seconds().1 * 1000.0)) }
                        p { (format::share(difference.share())) " of the time to the last asset" }
                    }
                    Some(_) => { p class="big" { "±0" } p { "no difference that is beyond doubt" } }
                    None => { p class="big quiet" { "–" } p { (gain.without.views()) " views held out; at least " (ENOUGH) " are needed" } }
                }
            }
            div class="card" {
                h3 { "Sent early" }
                p class="big" { (format::count(stats.pushed + stats.hinted + stats.linked)) }
                p { (format::count(stats.pushed)) " pushed, " (format::count(stats.hinted)) " hinted, " (format::count(stats.linked)) " linked" }
            }
            div class="card" {
                h3 { "Held by clients" }
                p class="big" { (format::count(stats.held)) }
                p { "assets not sent again" @if stats.corrupt_cookies > 0 { "; " (format::count(stats.corrupt_cookies)) " cookies unreadable" } }
            }
            div class="card" {
                h3 { "Bytes pushed" }
                p class="big" { (format::bytes(totals.pushed_bytes)) }
                p { (wasted) }
            }
            div class="card" {
                h3 { "Response head" }
                p class="big" { (latency(0.5)) }
                p { (latency(0.99)) " for the slowest 1 %, of " (format::count(head.count)) }
            }
            div class="card" {
                h3 { "Learned" }
                p class="big" { (format::count(learner.learned)) " visits" }
                p { (format::count(learner.shown_assets as u64)) " assets, " (format::bytes(learner.bytes as u64))
                    @if let Some(age) = sources.snapshot_age() { ", saved " (format::age(age.as_secs())) " ago" } }
            }
            div class="card" {
                h3 { @if sources.health.is_draining() { "Draining" } @else { "Serving" } }
                p class="big" { (format::age(sources.uptime().as_secs())) }
                p { (format::count(stats.connections.saturating_sub(stats.connections_ended))) " connections open, "
                    (format::count(sources.traffic.requests())) " requests" }
            }
        }
    }
}

/// What the help is worth, for all pages or for one: two distributions and the difference of their medians.
pub(super) fn gain_body(gain: &Gain, of: &str) -> Markup {
    let (with, without) = (gain.with.views(), gain.without.views());
    html! {
        p class="note" {
            "Time from the navigation to the last of the planned assets that the view loaded, as the server sees it, for " (of)
            ". Views that were cut off are left out. Which views get no help is drawn by lot, and each view counts the inverse of the \
             chance of its draw. Views are compared by outlet, and clients that held some of the page apart from those that held \
             none. Curves are scaled to one height."
        }
        @if with == 0 && without == 0 {
            p class="empty" { "No timed views yet. They are counted when a visit closes." }
        } @else {
            (distribution(gain))
        }
        @match &gain.difference {
            Some(found) => {
                h3 { "How much sooner" }
                (difference(found))
                p {
                    @let (low, saved, high) = found.seconds();
                    @if found.is_certain() && saved > 0.0 {
                        strong { (format::millis(saved * 1000.0)) " sooner" }
                        ", " (format::share(found.share())) " of the time without help"
                    } @else if found.is_certain() {
                        strong class="bad" { (format::millis(-saved * 1000.0)) " later with help than without" }
                    } @else {
                        strong { "No difference beyond doubt" }
                    }
                    " at the median: 95 % confidence interval from " (format::signed_millis(low * 1000.0)) " to "
                    (format::signed_millis(high * 1000.0)) " (" (with) " views with help and " (without) " without). "
                    @if gain.preliminary { "Until a day has passed, this interval holds for one look only. " }
                    @else { "It holds however often one looks. " }
                    @if found.until_five_percent > 1.0 {
                        "A difference of 5 % would be seen with " (format!("{:.0}", found.until_five_percent.ceil())) " times as many views."
                    } @else { "A difference of 5 % would be seen with the views that there are." }
                }
                ul class="note" {
                    @for (name, slower) in &gain.slower {
                        li { (name) ": "
                            @match slower {
                                Some(slower) => {
                                    @let (low, saved, high) = slower.seconds();
                                    (format::signed_millis(saved * 1000.0)) " sooner, from " (format::signed_millis(low * 1000.0)) " to " (format::signed_millis(high * 1000.0))
                                }
                                None => { "too few views yet" }
                            }
                        }
                    }
                }
            }
            None => {
                p class="empty" {
                    "Not enough views yet to say how much: " (with) " with help and " (without) " without, and "
                    (ENOUGH) " of each are needed."
                    @if without == 0 { " Views without help come from the hold-out (one navigation in 32 unless set otherwise)." }
                }
            }
        }
    }
}

fn span_links(query: &Query) -> Markup {
    html! {
        p class="choices" {
            @for (name, span, text) in [("hour", Span::Hour, "last hour"), ("day", Span::Day, "last day")] {
                a href=(query.with("span", name)) aria-current=[(query.span() == span).then_some("true")] { (text) } " "
            }
        }
    }
}

fn activity(slots: &[Slot], span: Span) -> Markup {
    let of = |read: &dyn Fn(&Slot) -> f64| slots.iter().map(read).collect::<Vec<_>>();
    let outcomes = OUTCOMES.iter().enumerate().map(|(at, outcome)| {
        let (name, class) = match outcome {
            PushOutcome::Finished => ("finished", "with"),
            PushOutcome::Cancelled => ("cancelled", "without"),
            PushOutcome::Failed => ("failed", "bad"),
            _ => ("cut off", "faint"),
        };
        let values = of(&|slot| slot.pushes.get(at).copied().map_or(0.0, f64::from));
        Stack { name, class, values }
    });
    let outcomes: Vec<_> = outcomes.collect();
    let decisions = [
        Stack { name: "pushed", class: "with", values: of(&|slot| f64::from(slot.promised)) },
        Stack { name: "hinted", class: "sky", values: of(&|slot| f64::from(slot.hinted)) },
        Stack { name: "linked", class: "faint", values: of(&|slot| f64::from(slot.linked)) },
        Stack { name: "held", class: "green", values: of(&|slot| f64::from(slot.held)) },
    ];
    let bytes = [
        Stack { name: "sent whole", class: "with", values: of(&|slot| slot.pushed_bytes as f64) },
        Stack { name: "wasted at most", class: "without", values: of(&|slot| slot.wasted_bytes as f64) },
    ];
    let since = &since(slots, span);
    html! {
        div class="plots" {
            div { h3 { "Assets, by what was decided" } (bars(&decisions, since, Scale::Things)) }
            div { h3 { "Pushes, by what became of them" } (bars(&outcomes, since, Scale::Things)) }
            div { h3 { "Bytes pushed" } (bars(&bytes, since, Scale::Bytes)) }
        }
    }
}

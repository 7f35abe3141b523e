//! The first page: how it goes, what it is worth, which pages there are.

use headstart::PushOutcome;
use maud::{Markup, html};

use super::super::gain::{ENOUGH, Gain};
use super::super::ledger::{OUTCOMES, Slot, Span};
use super::super::sources::Sources;
use super::chart::{Scale, Stack, bars, spark};
use super::fleet;
use super::format;
use super::gain;
use super::layout::{Section, ordered};
use super::pages;
use super::query::Query;
use super::unlearned;
use super::upstreams;

pub(super) fn sections(sources: &Sources, query: &Query) -> Vec<Section> {
    let slots = sources.ledger.series(query.span());
    let figures = sources.ledger.all_pages();
    let worth = Gain::of(&figures);
    let aa = gain::of_aa(sources);
    let (first, last) = if sources.measurement.aa { (aa, None) } else { (None, aa) };
    let mut sections: Vec<Section> = first.into_iter().collect();
    sections.push(Section::new("headline", "At a glance", headline(sources, &worth, &slots, query.span())));
    sections.push(gain::of_site(sources, &figures, &worth));
    sections.extend(gain::of_fleet(sources));
    sections.extend(gain::of_browsers(sources));
    sections.push(pages::section(sources, query));
    let activity = Section::new("activity", "Over time", activity(&slots, query.span())).lead(span_links(query));
    sections.push(activity.empty_if(slots.iter().all(|slot| *slot == Slot::default())));
    sections.extend(last);
    sections.extend(unlearned::section(sources));
    sections.extend(fleet::section(sources));
    sections.extend(upstreams::section(sources));
    ordered(sections)
}

/// How long ago the first of these slots began.
fn since(slots: &[Slot], span: Span) -> String {
    format::age(slots.len() as u64 * span.slot().as_secs())
}

/// Timed views of both kinds.
fn timed(gain: &Gain) -> String {
    format::count(gain.with.views() + gain.without.views())
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
                p { "since the start; " (format::count(stats.held_out)) " of them held out, as evidence" }
                (spark(&views, &format!("Page views over the last {}", since(slots, span))))
            }
            div class="card" {
                h3 { "Sooner, by the median" }
                @match gain.median() {
                    Some(difference) if difference.is_certain() => {
                        p class="big" { (format::signed_millis(difference.seconds().1 * 1000.0)) }
                        p { (format::share(difference.share())) " of the time to the last asset, of " (timed(gain)) " timed views in "
                            (format::age(sources.ledger.age().as_secs())) }
                    }
                    Some(_) => { p class="big" { "±0" } p { "no difference beyond doubt, of " (timed(gain)) " timed views" } }
                    None => {
                        p class="big quiet" { "–" }
                        p { (format::count(gain.accounts.without.timed)) " of " (format::count(gain.accounts.without.shown))
                            " held-out views timed; " (ENOUGH) " are needed" }
                    }
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
    let mut plots = [
        ("Assets, by what was decided", &decisions[..], Scale::Things),
        ("Pushes, by what became of them", &outcomes[..], Scale::Things),
        ("Bytes pushed", &bytes[..], Scale::Bytes),
    ];
    // Charts that show nothing come last.
    plots.sort_by_key(|(_, stacks, _)| stacks.iter().all(|stack| stack.values.iter().all(|value| *value == 0.0)));
    html! {
        div class="plots" {
            @for (name, stacks, scale) in plots { div { h3 { (name) } (bars(stacks, since, scale)) } }
        }
    }
}

//! The gain of the help, for all pages or for one.

use std::time::Duration;

use headstart_gain::{Difference, ExtraBytes};
use maud::{Markup, html};

use super::super::gain::{Accounts, ENOUGH, Gain, QUANTILES};
use super::super::ledger::{Account, BrowserFigures, Figures, METRICS, Stratum};
use super::super::sources::{Measurement, Sources};
use super::chart::{difference, distribution};
use super::format;
use super::layout::Section;

/// Views below which nothing is said of the share that could be timed.
const MANY: u64 = 200;

/// The section of the site.
pub(super) fn of_site(sources: &Sources, figures: &Figures, gain: &Gain) -> Section {
    let body = html! {
        (body(gain, "all pages", sources.measurement, sources.ledger.age()))
        (parts(figures))
        (picture(gain))
    };
    Section::new("gain", "What the help is worth", body).empty_if(is_empty(gain))
}

/// The section of all servers of a fleet. `None` without one.
pub(super) fn of_fleet(sources: &Sources) -> Option<Section> {
    let sums = sources.ledger.fleet()?;
    let gain = Gain::of(&sums.all_pages);
    let body = html! {
        (body(&gain, "all pages of all servers", sources.measurement, sums.age()))
        @if sums.browser.reports() > 0 {
            h3 { "What people see" }
            p { (format::count(sums.browser.reports())) " views reported by browsers, " (format::count(sums.browser.held_out)) " of them held out." }
            (browser_times(&sums.browser))
        }
        (picture(&gain))
    };
    Some(Section::new("fleet-gain", "What the help is worth in the whole fleet", body).empty_if(is_empty(&gain)))
}

/// The section of a page.
pub(super) fn of_page(sources: &Sources, figures: &Figures) -> Section {
    let gain = Gain::of(figures);
    let body = html! {
        (body(&gain, "this page, by clients that held none of it", sources.measurement, sources.ledger.age()))
        (picture(&gain))
    };
    Section::new("gain", "What the help is worth here", body).empty_if(is_empty(&gain))
}

/// That an A/A comparison runs, or what the last one found. `None` if there never was one.
pub(super) fn of_aa(sources: &Sources) -> Option<Section> {
    let figures = sources.ledger.aa();
    let gain = Gain::of(&figures);
    let on = sources.measurement.aa;
    if !on && is_empty(&gain) {
        return None;
    }
    let found = html! {
        @match gain.median() {
            Some(found) if gain.at.iter().flatten().any(Difference::is_certain) => {
                p { strong class="bad" { "It finds a difference where there is none: the measurement is at fault." }
                    " Do not believe what this page says of the help until the cause is found." }
                (quantiles(&gain))
                (difference(found))
            }
            Some(found) => {
                p { strong { "It finds no difference beyond doubt, as it has to." } }
                (quantiles(&gain))
                (difference(found))
            }
            None => { (too_few(&gain)) }
        }
        (accounts(&gain.accounts))
    };
    let body = html! {
        @if on {
            p class="alarm" role="alert" {
                strong { "Hold-outs get help like all other views now" } " (" code { "[gain] aa = true" } "), so this comparison has to find no \
                 difference. What the help is worth is not measured meanwhile, and hold-outs teach nothing: switch it off when you \
                 have seen enough."
            }
        } @else {
            p class="note" { "While " code { "[gain] aa" } " was on, hold-outs got help like all other views." }
        }
        (found)
    };
    Some(Section::new("aa", "A/A: a check of the measurement", body))
}

/// The times that browsers reported. `None` if they are not asked and never were.
pub(super) fn of_browsers(sources: &Sources) -> Option<Section> {
    let figures = sources.ledger.browser();
    if !sources.measurement.beacon && figures.reports() == 0 {
        return None;
    }
    let stats = sources.headstart.beacon_stats();
    let refused: Vec<_> = stats.refused().filter(|(_, count)| *count > 0).collect();
    let body = html! {
        p { (format::count(figures.reports())) " views reported, " (format::count(figures.held_out)) " of them held out. "
            @if figures.hinted > 0 { "Of " (format::count(figures.hinted)) " assets that were hinted to them, "
                strong { (format::count(figures.used)) } " were used (" (format::share(figures.used as f64 / figures.hinted as f64)) ")." } }
        (browser_times(&figures))
        p class="note" {
            "Since the start " (format::count(stats.issued)) " pages carried a token and " (format::count(stats.taken)) " reports counted"
            @if !refused.is_empty() { "; not counted were " @for (at, (refusal, count)) in refused.iter().enumerate() {
                @if at > 0 { ", " } (format::count(*count)) " (" (refusal) ")" } }
            ". A network has one vote in ten minutes. Nothing is learned from reports."
        }
    };
    Some(Section::new("browsers", "What people see", body).empty_if(figures.reports() == 0))
}

/// A table of all times that browsers report.
fn browser_times(figures: &BrowserFigures) -> Markup {
    let times = |at, share| {
        let strata = figures.metric(at)?;
        strata.difference(|_| true, share, figures.look())
    };
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Table of times in browsers" {
            table class="figures" {
                thead { tr {
                    th scope="col" { "Time in the browser to the" }
                    @for name in ["Without help", "With help", "Sooner", "95 % interval", "Share"] { th scope="col" class="number" { (name) } }
                } }
                tbody {
                    @for (at, (_, name)) in METRICS.iter().enumerate() {
                        @for (quantile, share) in QUANTILES {
                            tr { th scope="row" { (name) span class="host" { (quantile) } } (difference_cells(times(at, share).as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

fn is_empty(gain: &Gain) -> bool {
    gain.accounts.with.shown == 0 && gain.accounts.without.shown == 0
}

fn body(gain: &Gain, of: &str, measurement: Measurement, age: Duration) -> Markup {
    html! {
        (limits(gain, measurement))
        @match gain.median() {
            Some(found) => {
                (sentence(gain, found, of))
                (quantiles(gain))
                (difference(found))
                (outlook(gain, age))
                @if let Some(extra) = &gain.extra { (cost(extra)) }
            }
            None => { (too_few(gain)) }
        }
        (accounts(&gain.accounts))
    }
}

/// The cases in which it cannot be measured, and why.
fn limits(gain: &Gain, measurement: Measurement) -> Markup {
    let Measurement { no_holdout, shared_edge, behind_proxies, .. } = measurement;
    let Accounts { with, without } = &gain.accounts;
    let (timed, lost) = (with.timed + without.timed, with.nothing_loaded + without.nothing_loaded);
    html! {
        @if shared_edge {
            p class="alarm" { strong { "It cannot be measured here: " } "a cache in front keeps responses for others (" code { "[edge] shared" }
                "), so that no view is held out and the requests for assets are not seen." }
        } @else if no_holdout {
            p class="alarm" { strong { "It cannot be measured: " } "no view is held out (" code { "[learn] holdout = 0" }
                "), so that there is nothing to compare with." }
        } @else if lost > MANY && timed * 10 < lost {
            p class="alarm" { strong { "It can hardly be measured here: " } "of " (format::count(timed + lost)) " views with planned assets "
                (format::count(timed)) " could be timed. "
                @if behind_proxies { "Either a cache in front answers the requests for assets, or they do not name their page: behind a proxy \
                    a view is known by its client and the Referer of its requests, which a Referrer-Policy can forbid." }
                @else { "The others asked for none of them: over HTTP/1.1 a view is known by the Referer of its requests, which a \
                    Referrer-Policy can forbid." } }
        } @else if behind_proxies {
            p class="note" { "Behind a proxy, views are told apart by the client that it names and by the Referer of their requests. What a \
                cache in front answers is not seen." }
        }
    }
}

fn too_few(gain: &Gain) -> Markup {
    let (with, without) = (gain.with.views(), gain.without.views());
    html! {
        p class="empty" {
            "Not enough timed views yet to say how much: " (format::count(with)) " with help and " (format::count(without)) " without, and "
            (ENOUGH) " of each are needed."
            @if gain.accounts.without.shown == 0 { " Views without help come from the hold-out (one navigation in 32 on average unless set otherwise)." }
        }
    }
}

fn sentence(gain: &Gain, found: &Difference, of: &str) -> Markup {
    let (low, saved, high) = found.seconds();
    html! {
        p class="verdict" {
            @if found.is_certain() && saved > 0.0 {
                strong { (format::millis(saved * 1000.0)) " sooner" }
                ", " (format::share(found.share())) " of the time without help"
            } @else if found.is_certain() {
                strong class="bad" { (format::millis(-saved * 1000.0)) " later with help than without" }
            } @else {
                strong { "No difference beyond doubt" }
            }
            " at the median of " (of) ": 95 % confidence interval from " (format::signed_millis(low * 1000.0)) " to "
            (format::signed_millis(high * 1000.0)) ". "
            @if gain.preliminary { "Until a day has passed, the intervals hold for one look only." }
            @else { "The intervals hold however often one looks." }
        }
    }
}

/// A table of all quantiles.
fn quantiles(gain: &Gain) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Table of percentiles" {
            table class="figures" {
                thead { tr {
                    th scope="col" { "Time to the last asset" }
                    @for name in ["Without help", "With help", "Sooner", "95 % interval", "Share"] { th scope="col" class="number" { (name) } }
                } }
                tbody {
                    @for ((name, _), found) in QUANTILES.iter().zip(&gain.at) {
                        tr { th scope="row" { (name) } (difference_cells(found.as_ref())) }
                    }
                }
            }
        }
    }
}

fn difference_cells(found: Option<&Difference>) -> Markup {
    html! {
        @match found {
            Some(found) => {
                @let (low, saved, high) = found.seconds();
                td class="number" { (format::millis(found.held_out * 1000.0)) }
                td class="number" { (format::millis(found.helped * 1000.0)) }
                td class="number" { (format::signed_millis(saved * 1000.0)) }
                td class="number" { (format::signed_millis(low * 1000.0)) " to " (format::signed_millis(high * 1000.0)) }
                td class="number" { (format::share(found.share())) @if !found.is_certain() { " (not certain)" } }
            }
            None => { @for _ in 0..3 { td class="number quiet" { "–" } } td class="number quiet" { "too few views" } td class="number quiet" { "–" } }
        }
    }
}

/// How many views it takes to see a small difference.
fn outlook(gain: &Gain, age: Duration) -> Markup {
    let Some(needed) = gain.views_until_five_percent() else { return html! {} };
    let timed = gain.with.views() + gain.without.views();
    html! {
        p class="note" {
            @if needed <= timed {
                "A difference of 5 % at the median would be seen with the " (format::count(timed)) " timed views that there are."
            } @else {
                "A difference of 5 % at the median would be seen with about " (format::count(rounded(needed))) " timed views; there are "
                (format::count(timed)) ", gathered in " (format::age(age.as_secs())) "."
            }
        }
    }
}

/// With two digits that count: more would say more than is known.
fn rounded(value: u64) -> u64 {
    let unit = 10_u64.pow(value.max(1).ilog10().saturating_sub(1));
    value.div_ceil(unit) * unit
}

/// The cost of the help.
fn cost(extra: &ExtraBytes) -> Markup {
    let bytes = |value: f64| format::bytes(value.abs().round() as u64);
    let sign = |value: f64| match value.round() {
        value if value < 0.0 => "\u{2212}",
        value if value > 0.0 => "+",
        _ => "",
    };
    let signed = |value: f64| format!("{}{}", sign(value), bytes(value));
    html! {
        p { "What was sent and not needed: "
            @if extra.is_certain() {
                strong { (bytes(extra.bytes())) @if extra.bytes() > 0.0 { " more" } @else { " less" } } " a view with help"
            } @else {
                strong { "no difference beyond doubt" } " in bytes"
            }
            " (from " (signed(extra.low)) " to " (signed(extra.high)) "; a view without help loads " (bytes(extra.held_out)) " of assets)."
        }
    }
}

/// The fate of the views of both kinds: each view is in one column.
fn accounts(accounts: &Accounts) -> Markup {
    type Read = fn(&Account) -> u64;
    let columns: [(&str, Read); 7] = [
        ("Shown", |account| account.shown),
        ("Timed", |account| account.timed),
        ("Nothing planned", |account| account.nothing_planned),
        ("Loaded none of it", |account| account.nothing_loaded),
        ("Left before the end", |account| account.cut_off),
        ("Held some of it", |account| account.returning),
        ("Still open", Account::open),
    ];
    let Accounts { with, without } = accounts;
    // Only a page leaves out the views of clients that held some of it.
    let shown = columns.iter().filter(|(name, read)| *name != "Held some of it" || read(with) + read(without) > 0);
    let columns: Vec<_> = shown.collect();
    html! {
        h3 { "Which views these are" }
        div class="scroll" tabindex="0" role="region" aria-label="Table of views" {
            table class="figures" {
                thead { tr { th scope="col" { "Views" } @for (name, _) in &columns { th scope="col" class="number" { (name) } } } }
                tbody {
                    @for (name, account) in [("with help", with), ("held out", without)] {
                        tr { th scope="row" { (name) } @for (_, read) in &columns { td class="number" { (format::count(read(account))) } } }
                    }
                }
            }
        }
    }
}

/// The same by outlet, device and kind of client.
fn parts(figures: &Figures) -> Markup {
    type Chosen = fn(Stratum) -> bool;
    let parts: [(&str, Chosen); 7] = [
        ("by 103 (Early Hints)", |stratum| stratum.outlet() == "103"),
        ("by Link alone", |stratum| stratum.outlet() == "link"),
        ("by push", |stratum| stratum.outlet() == "push"),
        ("phones", |stratum| stratum.phone),
        ("other devices", |stratum| !stratum.phone),
        ("clients that held none of the page", |stratum| !stratum.returning),
        ("clients that held some of it", |stratum| stratum.returning),
    ];
    let views = |of: Chosen| -> u64 {
        figures.strata().iter().filter(|(stratum, _)| of(*stratum)).map(|(_, arms)| arms.views()).sum()
    };
    let mut parts: Vec<_> = parts.into_iter().map(|(name, of)| (name, of, views(of))).collect();
    parts.retain(|(.., views)| *views > 0);
    html! {
        @if !parts.is_empty() {
            h3 { "By way, device and client, at the median" }
            div class="scroll" tabindex="0" role="region" aria-label="Table of parts" {
                table class="figures" {
                    thead { tr {
                        th scope="col" { "Views" }
                        @for name in ["Timed", "Without help", "With help", "Sooner", "95 % interval", "Share"] { th scope="col" class="number" { (name) } }
                    } }
                    tbody {
                        @for (name, of, views) in parts {
                            tr {
                                th scope="row" { (name) }
                                td class="number" { (format::count(views)) }
                                (difference_cells(Gain::differences(figures, of).first().and_then(Option::as_ref)))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The distributions, and how they came about.
fn picture(gain: &Gain) -> Markup {
    html! {
        @if gain.with.views() + gain.without.views() > 0 {
            h3 { "All timed views" }
            (distribution(gain))
        }
        p class="note" {
            "The time is that from the navigation to the last of the planned assets that the view loaded while the page loaded, as the server \
             sees it. Which views get no help is drawn by lot, by client and day, and each view counts the inverse of the chance of its \
             draw. What was meant for a view is what counts: a 103 that came too late is help, too. Views are compared within the same \
             outlet, kind of device, and kind of client. " a href="/gain.jsonl" { "The figures as JSON" } " can be computed with."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_has_two_digits() {
        for (value, text) in [(0, 0), (7, 7), (99, 99), (101, 110), (12_345, 13_000), (99_999, 100_000)] {
            assert_eq!(rounded(value), text);
        }
    }
}

//! The servers that learn as one.

use std::time::SystemTime;

use headstart::fleet::{NodeStatus, Status};
use headstart::learn::Time;
use maud::{Markup, html};

use super::super::sources::Sources;
use super::format;
use super::layout::Section;

/// The section of the fleet. `None` without one.
pub(super) fn section(sources: &Sources) -> Option<Section> {
    let status = sources.headstart.fleet_status()?;
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let now = Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    let body = html! {
        p { "This is " strong { (status.name) } ", which meets the others at " code { (status.place) } "." }
        (alarms(&status, now))
        div class="scroll" tabindex="0" role="region" aria-label="Table of servers" {
            table class="figures" {
                thead { tr {
                    th scope="col" { "Server" }
                    @for name in ["Version", "Heard of", "Lag", "Visits heard", "Told", "Refused", "Dropped"] {
                        th scope="col" class="number" { (name) }
                    }
                } }
                tbody { @for node in &status.nodes { (row(node, now)) } }
            }
        }
    };
    Some(Section::new("fleet", "Servers that learn as one", body).empty_if(status.nodes.is_empty()))
}

fn alarms(status: &Status, now: Time) -> Markup {
    html! {
        @if let Some(trouble) = &status.trouble {
            p class="alarm" role="alert" { strong { "The others cannot be reached: " } (trouble) ". This server goes on alone." }
        }
        @if let Some(share) = status.scattered {
            p class="alarm" { strong { "Of assets, " (format::share(share)) " come without their page" } ", which was asked for at another \
                server: have the balancer keep a client's requests together, by connection or by the client's address. Until then \
                only what views fetch is learned." }
        }
        @for name in status.doubled_names(now) {
            p class="note" { "More than one server has the name " strong { (name) } ", or it was started anew a moment ago." }
        }
    }
}

fn row(node: &NodeStatus, now: Time) -> Markup {
    let fact = |name: &str| node.facts.get(name).map_or("–", String::as_str);
    let count = |name: &str| fact(name).parse().map_or_else(|_| "–".to_owned(), format::count);
    let lag = fact("lag_ms").parse().map_or_else(|_| "–".to_owned(), format::millis);
    html! {
        tr {
            th scope="row" { (node.name) @if !node.same_key { span class="host" { "another key of evidence" } } }
            td class="number" { (fact("version")) }
            td class="number" { (format::age(now.saturating_since(node.sent).as_secs())) " ago" }
            td class="number" { (lag) }
            @for name in ["visits", "told", "refused", "dropped"] { td class="number" { (count(name)) } }
        }
    }
}

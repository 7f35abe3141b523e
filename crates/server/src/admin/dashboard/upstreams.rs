//! The servers that requests are passed on to.

use maud::{Markup, html};

use super::super::sources::Sources;
use super::format;
use super::layout::Section;
use crate::traffic::HistogramReading;
use headstart_proxy::{BUCKETS, UpstreamStats};

/// `None` where nothing is passed on.
pub(super) fn section(sources: &Sources) -> Option<Section> {
    let upstreams = sources.origins.upstreams();
    let body = table(&upstreams);
    (!upstreams.is_empty()).then(|| Section::new("upstreams", "Upstreams", body))
}

fn table(upstreams: &[UpstreamStats]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Table of upstreams" {
            table {
                thead { tr {
                    th scope="col" { "Upstream" }
                    @for name in ["Servers up", "Requests", "Open", "Faults", "Retries", "Head, median", "Slowest 1 %", "From cache"] {
                        th scope="col" class="number" { (name) }
                    }
                } }
                tbody { @for upstream in upstreams { (row(upstream)) } }
            }
        }
    }
}

fn row(upstream: &UpstreamStats) -> Markup {
    let up = upstream.servers.iter().filter(|server| server.healthy).count();
    let all = upstream.servers.len();
    let faults: u64 = upstream.faults.iter().map(|(_, count)| count).sum();
    let head = head_times(upstream);
    let time = |share| head.quantile(share).map_or("–".to_owned(), |seconds| format::millis(seconds * 1000.0));
    let asked = upstream.cache_hits + upstream.cache_misses;
    html! {
        tr {
            th scope="row" { (upstream.name)
                span class="host" { @for server in &upstream.servers { (server.address) @if !server.healthy { " (down)" } " " } } }
            td class="number" { @if up < all { strong class="bad" { (up) " of " (all) } } @else { (up) " of " (all) } }
            td class="number" { (format::count(upstream.requests)) }
            td class="number" { (format::count(upstream.open)) }
            td class="number" { (format::count(faults)) }
            td class="number" { (format::count(upstream.retries)) }
            td class="number" { (time(0.5)) }
            td class="number" { (time(0.99)) }
            td class="number" { @if asked == 0 { "–" } @else { (format::share(upstream.cache_hits as f64 / asked as f64)) } }
        }
    }
}

/// An upstream's times, as histograms are read here.
pub(in crate::admin) fn head_times(upstream: &UpstreamStats) -> HistogramReading {
    let bounds = BUCKETS.into_iter().chain([f64::INFINITY]);
    HistogramReading {
        sum: upstream.head_seconds,
        count: upstream.head_times.iter().sum(),
        buckets: bounds.zip(upstream.head_times).collect(),
    }
}

//! Metrics of what answers: files in memory, and upstreams by name.

use std::fmt;

use super::super::dashboard::head_times;
use super::super::sources::Sources;
use super::families::{Families, Labels};
use headstart_proxy::UpstreamStats;

pub(super) fn write(sources: &Sources, families: &mut Families<'_>) -> fmt::Result {
    let files = sources.origins.files();
    families.gauge("files_in_memory", "Files kept in memory.", files.files as f64)?;
    families.gauge("files_in_memory_bytes", "Memory that they take, an upper estimate.", files.bytes as f64)?;
    let all = sources.origins.upstreams();
    let each = |read: fn(&UpstreamStats) -> u64| all.iter().map(move |one| (named(one), read(one)));
    families.counters("upstream_requests", "Requests meant for an upstream.", each(|one| one.requests))?;
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    let responses = all.iter().flat_map(|one| {
        let by_class = classes.iter().zip(one.responses);
        by_class.map(move |(class, count)| (vec![("upstream", &*one.name), ("class", *class)], count))
    });
    families.counters("upstream_responses", "Responses of an upstream, by class of status.", responses)?;
    let faults: Vec<_> = all
        .iter()
        .flat_map(|one| one.faults.iter().map(move |(fault, count)| (one, snake_case(&format!("{fault:?}")), *count)))
        .collect();
    families.counters(
        "upstream_faults",
        "Attempts that failed, by what went wrong; those that were repeated with success are counted too.",
        faults.iter().map(|(one, fault, count)| (vec![("upstream", &*one.name), ("fault", fault.as_str())], *count)),
    )?;
    families.counters("upstream_retries", "Requests that were sent again.", each(|one| one.retries))?;
    families.counters("upstream_connections", "Connections made to an upstream.", each(|one| one.connections))?;
    let gauge = |read: fn(&UpstreamStats) -> u64| all.iter().map(move |one| (named(one), read(one) as f64));
    families.gauges("upstream_requests_open", "Requests and tunnels under way.", gauge(|one| one.open))?;
    families.gauges("upstream_tunnels_open", "Tunnels (WebSocket) under way.", gauge(|one| one.open_tunnels))?;
    let cache = all.iter().flat_map(|one| {
        [("hit", one.cache_hits), ("miss", one.cache_misses)]
            .map(|(result, count)| (vec![("upstream", &*one.name), ("result", result)], count))
    });
    families.counters("upstream_cache_requests", "Requests that the cache could answer, and whether it did.", cache)?;
    let bytes = all.iter().flat_map(|one| {
        [("up", one.bytes_up), ("down", one.bytes_down)]
            .map(|(way, count)| (vec![("upstream", &*one.name), ("way", way)], count))
    });
    families.counters("upstream_bytes", "Bytes of bodies to and from an upstream.", bytes)?;
    families.histograms(
        "upstream_head_seconds",
        "Time from a request's head to the upstream's response head.",
        all.iter().map(|one| (named(one), head_times(one))),
    )?;
    let servers = all.iter().flat_map(|one| {
        let healthy = |healthy| if healthy { 1.0 } else { 0.0 };
        one.servers.iter().map(move |server| {
            (vec![("upstream", &*one.name), ("server", server.address.as_str())], healthy(server.healthy))
        })
    });
    families.gauges("upstream_server_up", "Whether requests are given to this server.", servers)
}

fn named(one: &UpstreamStats) -> Labels<'_> {
    vec![("upstream", &*one.name)]
}

/// The name of a variant as labels are spelled.
fn snake_case(name: &str) -> String {
    let mut label = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !label.is_empty() {
            label.push('_');
        }
        label.push(letter.to_ascii_lowercase());
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_in_snake_case() {
        assert_eq!(snake_case("Refused"), "refused");
        assert_eq!(snake_case("ConnectTimeout"), "connect_timeout");
    }
}

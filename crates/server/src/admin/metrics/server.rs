//! Metrics of connections and responses.

use std::fmt;

use super::super::sources::Sources;
use super::families::{Families, PLAIN};
use crate::access_log_writer::AccessLog;

pub(super) fn write(sources: &Sources, families: &mut Families<'_>) -> fmt::Result {
    let (traffic, stats) = (&sources.traffic, sources.headstart.stats());
    families.counter("connections", "Connections accepted.", stats.connections)?;
    let open = stats.connections.saturating_sub(stats.connections_ended);
    families.gauge("connections_open", "Connections open now.", open as f64)?;
    families.counter(
        "handshakes_failed",
        "Connections that came to no request: the TLS handshake failed, took too long, or nothing was said.",
        stats.handshakes_failed,
    )?;
    families.counters(
        "limits",
        "Connections that met a limit: their address had its share; they were idle and others needed the place; over HTTP/2 \
         they sent what is forbidden or too much of something, or took too long.",
        [
            (vec![("limit", "connections_per_address")], stats.connections_refused),
            (vec![("limit", "http2_protocol")], stats.connections_forbidden),
            (vec![("limit", "http2_timeout")], stats.connections_timed_out),
            (vec![("limit", "idle_connection_released")], stats.connections_released),
        ],
    )?;
    families.counter("requests", "Requests of clients, those for pushes not counted.", traffic.requests())?;
    families.gauge("requests_open", "Requests under way.", traffic.under_way() as f64)?;
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    families.counters(
        "responses",
        "Responses to requests of clients, by protocol and class of status.",
        traffic.responses().filter_map(|(protocol, class, count)| {
            let class = classes.get(class.checked_sub(1)?)?;
            Some((vec![("protocol", protocol.name()), ("class", *class)], count))
        }),
    )?;
    families.histograms(
        "response_head_seconds",
        "Time from a request's head to its response's head.",
        [(PLAIN, traffic.head.read())],
    )?;
    families.counter("response_bytes", "Bytes of response bodies, those of pushes not counted.", traffic.bytes())?;
    families.counter("responses_aborted", "Responses whose body was not sent to the end.", traffic.aborted())?;
    let lost = sources.access_log.as_ref().map_or(0, AccessLog::lost);
    families.counter("access_log_lost", "Lines of the access log that could not be written.", lost)
}

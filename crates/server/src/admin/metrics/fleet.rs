//! Metrics of the fleet that this server learns with; none without one.

use std::fmt;

use super::super::sources::Sources;
use super::families::{Families, PLAIN};

pub(super) fn write(sources: &Sources, families: &mut Families<'_>) -> fmt::Result {
    let Some(status) = sources.headstart.fleet_status() else { return Ok(()) };
    let working = status.joined && status.trouble.is_none();
    families.gauge("fleet_up", "1 while the fleet can be reached.", f64::from(u8::from(working)))?;
    families.gauge(
        "fleet_servers",
        "Servers of the fleet that have said something of late.",
        status.nodes.len() as f64,
    )?;
    families.counters(
        "fleet_entries",
        "Entries that were told to the fleet, and heard of others.",
        [("told", status.told.entries), ("heard", status.heard.entries)]
            .map(|(direction, count)| (vec![("direction", direction)], count)),
    )?;
    families.counters(
        "fleet_bytes",
        "Bytes of these entries.",
        [("told", status.told.bytes), ("heard", status.heard.bytes)]
            .map(|(direction, count)| (vec![("direction", direction)], count)),
    )?;
    families.counters(
        "fleet_visits",
        "Visits to other servers, by what was made of them: learned, repeated (their network had voted lately).",
        [("learned", status.visits), ("repeated", status.voted)]
            .map(|(outcome, count)| (vec![("outcome", outcome)], count)),
    )?;
    families.counter("fleet_missing_entries", "Entries of others that never came, or too late.", status.missing)?;
    families.counter("fleet_doubled_entries", "Entries that came more than once.", status.doubled)?;
    families.counters(
        "fleet_refused_entries",
        "Entries of others that were not taken in, by reason.",
        status.refused.iter().map(|(reason, count)| (vec![("reason", reason.as_str())], *count)),
    )?;
    families.counter(
        "fleet_dropped_visits",
        "Own visits that found no room before they could be told.",
        status.dropped,
    )?;
    families.counters(
        "fleet_assets",
        "Requests for assets that named their page, by where the client asked for that page.",
        [("here", status.named_assets.saturating_sub(status.orphans)), ("elsewhere", status.orphans)]
            .map(|(page, count)| (vec![("page", page)], count)),
    )?;
    families.gauge("fleet_waiting_visits", "Own visits that wait to be told.", status.waiting as f64)?;
    families.gauge("fleet_read_budget_bytes", "Bytes a second that may be read.", status.read_budget as f64)?;
    let lag = status.lag.map(|lag| (PLAIN, lag.as_secs_f64()));
    families.gauges("fleet_lag_seconds", "Age of the last entry when it was read.", lag)
}

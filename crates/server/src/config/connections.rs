//! `[h2]`, `[timeouts]`, `[limits]`: what a connection may cost.

use std::ops::RangeInclusive;
use std::time::Duration;

use headstart::{ForwardedBy, h2};
use ipnet::IpNet;

use super::section::Section;
use super::values::Size;

/// Limits of connections. They hold until the next start.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pub(crate) h2: h2::Config,
    /// How long responses under way may take to finish when the program is told to stop.
    pub(crate) drain: Duration,
    pub(crate) places: u32,
    pub(crate) places_per_address: u32,
    /// Proxies whose word is taken for whom they ask for.
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) forwarded_by: ForwardedBy,
}

impl PartialEq for Connections {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

const TIMES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(365 * 24 * 3600);

/// Reads the sections.
pub(super) fn read(root: &mut Section<'_>) -> Connections {
    let mut h2 = h2::Config::default();
    let mut section = root.section("h2");
    let mut count = |key, into: &mut u32, most| *into = section.within(key, 1..=most).unwrap_or(*into);
    count("max_streams", &mut h2.max_concurrent_streams, 65_536);
    count("max_control_frames", &mut h2.max_control_frames, 1_000_000);
    count("max_resets", &mut h2.max_resets, 1_000_000);
    count("max_cancelled_pushes", &mut h2.max_cancelled_pushes, u32::MAX);
    if let Some(rate) = section.within("min_body_rate", 0..=1_000_000_000_u32) {
        h2.min_body_rate = rate;
    }
    if let Some(fields) = section.within("max_header_fields", 1..=65_536_u32) {
        h2.max_header_fields = fields as usize;
    }
    let mut size = |key, into: &mut u32, least| {
        let bounds = Size(least)..=Size(i32::MAX as u64);
        *into = section.within(key, bounds).map_or(*into, |size| size.bytes() as u32);
    };
    size("max_header_list", &mut h2.max_header_list_bytes, 1 << 10);
    size("stream_window", &mut h2.stream_window_bytes, 1);
    size("connection_window", &mut h2.connection_window_bytes, 65_535);
    if let Some(unsent) = section.within("max_unsent", Size::kib(16)..=Size::mib(64)) {
        h2.max_unsent_bytes = unsent.bytes();
    }
    if let Some(pushes) = section.within("max_open_pushes", 0..=65_536_u32) {
        h2.max_open_pushes = pushes as usize;
    }
    h2.max_pushed_bytes = section.or("max_pushed_bytes", Size(h2.max_pushed_bytes)).0;
    h2.push_window = section.within("push_window", TIMES).unwrap_or(h2.push_window);
    let ahead = section.within("promise_ahead_after", Duration::ZERO..=Duration::from_secs(3600));
    h2.promise_ahead_after = ahead.or(h2.promise_ahead_after);
    h2.push_patience =
        section.within("push_patience", Duration::ZERO..=Duration::from_secs(10)).unwrap_or(h2.push_patience);
    if let Some(entries) = section.within("max_diary_entries", 1..=65_536_u32) {
        h2.max_diary_entries = entries as usize;
    }
    section.done();

    let mut section = root.section("timeouts");
    let mut time = |key, default| section.within(key, TIMES).unwrap_or(default);
    h2.handshake_timeout = time("handshake", h2.handshake_timeout);
    h2.header_timeout = time("header", h2.header_timeout);
    h2.idle_timeout = time("idle", h2.idle_timeout);
    h2.body_stall_timeout = time("body_stall", h2.body_stall_timeout);
    h2.keep_alive_timeout = time("keep_alive_answer", h2.keep_alive_timeout);
    h2.keep_alive_interval = h2.keep_alive_interval.map(|default| time("keep_alive", default));
    h2.write_stall_timeout = time("write_stall", h2.write_stall_timeout);
    let drain = time("drain", Duration::from_secs(10));
    section.done();

    let mut section = root.section("limits");
    let places = section.within("max_connections", 1..=1_000_000).unwrap_or(10_000);
    let places_per_address = section.within("max_connections_per_address", 1..=1_000_000).unwrap_or(100);
    let trusted = section.list("trusted_proxies").unwrap_or_default();
    let trusted_proxies = trusted.into_iter().map(|network| network.value).collect();
    let mut forwarded_by = ForwardedBy::default();
    if let Some(field) = section.get::<String>("forwarded_by") {
        match &*field.value {
            "x-forwarded-for" => forwarded_by = ForwardedBy::XForwardedFor,
            "forwarded" => forwarded_by = ForwardedBy::Forwarded,
            _ => section.problem_at(&field, "has to be \"x-forwarded-for\" or \"forwarded\""),
        }
    }
    section.done();
    Connections { h2, drain, places, places_per_address, trusted_proxies, forwarded_by }
}

//! Rows of `[[listen]]`, `[limits]`, `[timeouts]` and `[h2]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use headstart::ForwardedBy;

use crate::config::connections::Connections;
use crate::config::entries::ListenEntry;
use crate::config::setting::{Group, Takes};
use crate::config::size::Size;

pub(in crate::config) fn listen() -> Group<ListenEntry> {
    Group::<ListenEntry>::new("listen")
        .value("address", |to| &mut to.address)
        .help("HOST:PORT; localhost is 127.0.0.1 and ::1, a public server has \"[::]:443\"")
        .value("systemd", |to| &mut to.systemd)
        .help("in place of an address: a socket that systemd opened, by its FileDescriptorName=")
        .sample("\"web\"")
        .value("tls", |to| &mut to.tls)
        .help("false: cleartext, HTTP/1.1 and HTTP/2 with prior knowledge (h2c), for use behind a balancer")
        .value("https", |to| &mut to.https)
        .help("true, without TLS: every request is redirected to https:// (308), but for ACME's paths")
        .sample("false")
        .value("proxy_protocol", |to| &mut to.proxy_protocol)
        .help("networks of balancers that begin connections with a PROXY header, such as [\"10.0.0.0/8\"]")
}

pub(in crate::config) fn limits() -> Group<Connections> {
    const FORWARDED_BY: &[(&str, ForwardedBy)] =
        &[("x-forwarded-for", ForwardedBy::XForwardedFor), ("forwarded", ForwardedBy::Forwarded)];
    Group::<Connections>::new("limits")
        .within("max_connections", 1..=1_000_000, |to| &mut to.max)
        .help("connections at once; newcomers wait")
        .within("max_connections_per_address", 0..=1_000_000, |to| &mut to.max_per_address)
        .help("connections of one address at once; 0 is a share of those that are free")
        .within("max_requests", 0..=1_000_000, |to| &mut to.max_requests)
        .help("requests under way, of which each address has a share; 0 is two a connection, and 4096 at least")
        .value("trusted_proxies", |to| &mut to.trusted_proxies)
        .help("networks of proxies that say in a field whom they ask for")
        .choice("forwarded_by", FORWARDED_BY, |to| &mut to.forwarded_by)
        .help("the field that they say it in: x-forwarded-for or forwarded")
}

const TIMES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(365 * 24 * 3600);

pub(in crate::config) fn timeouts() -> Group<Connections> {
    Group::<Connections>::new("timeouts")
        .within("handshake", TIMES, |to| &mut to.h2.handshake_timeout)
        .help("for TLS and the start of HTTP/2")
        .within("header", TIMES, |to| &mut to.h2.header_timeout)
        .help("for a request head")
        .within("body_stall", TIMES, |to| &mut to.h2.body_stall_timeout)
        .help("without a byte of a request's content")
        .within("idle", TIMES, |to| &mut to.h2.idle_timeout)
        .help("without a request")
        .within("write_stall", TIMES, |to| &mut to.h2.write_stall_timeout)
        .help("without a byte that the client takes")
        .within("keep_alive", TIMES, |to| &mut to.h2.keep_alive_interval)
        .help("without a frame of the client while a stream is open; then it is sent a PING")
        .within("keep_alive_answer", TIMES, |to| &mut to.h2.keep_alive_timeout)
        .help("for the answer to the PING")
        .within("drain", TIMES, |to| &mut to.drain)
        .help("for responses under way when the program is told to stop")
        .flag("drain", Takes::Value("TIME"))
}

pub(in crate::config) fn h2() -> Group<Connections> {
    let window = |least| Size(least)..=Size(i32::MAX as u64);
    Group::<Connections>::new("h2")
        .within("max_streams", 1..=65_536, |to| &mut to.h2.max_concurrent_streams)
        .help("requests of a connection at once")
        .size("max_header_list", window(1 << 10), |to| &mut to.h2.max_header_list_bytes)
        .help("bytes of a request head, uncompressed; over HTTP/1.1 64 KiB at least")
        .within("max_header_fields", 1..=65_536, |to| &mut to.h2.max_header_fields)
        .help("fields of a request head")
        .within("max_control_frames", 1..=1_000_000, |to| &mut to.h2.max_control_frames)
        .help("frames that ask for an answer and carry nothing, in ten seconds")
        .within("max_resets", 1..=1_000_000, |to| &mut to.h2.max_resets)
        .help("streams that a client resets, in ten seconds")
        .size("stream_window", window(1), |to| &mut to.h2.stream_window_bytes)
        .help("bytes of an upload that are not read yet, a stream")
        .size("connection_window", window(65_535), |to| &mut to.h2.connection_window_bytes)
        .help("the same, a connection")
        .within("min_body_rate", 0..=1_000_000_000, |to| &mut to.h2.min_body_rate)
        .help("bytes a second that an upload has to bring")
        .size("max_unsent", Size::kib(16)..=Size::mib(64), |to| &mut to.h2.max_unsent_bytes)
        .help("bytes in the socket that were not sent yet")
        .within("max_open_pushes", 0..=65_536, |to| &mut to.h2.max_open_pushes)
        .help("pushes of a connection at once")
        .size("max_pushed_bytes", Size(0)..=Size(u64::MAX), |to| &mut to.h2.max_pushed_bytes)
        .help("bytes that a connection is pushed in a push_window")
        .within("push_window", TIMES, |to| &mut to.h2.push_window)
        .help("time that max_pushed_bytes is for")
        .within("max_cancelled_pushes", 1..=u32::MAX, |to| &mut to.h2.max_cancelled_pushes)
        .help("pushes that a client cancels before it gets no more")
        .within("promise_ahead_after", Duration::ZERO..=Duration::from_secs(3600), |to| &mut to.h2.promise_ahead_after)
        .help("time that a page may take before its pushes are promised ahead of it")
        .within("push_patience", Duration::ZERO..=Duration::from_secs(10), |to| &mut to.h2.push_patience)
        .help("time that a page waits for the head of what is pushed with it")
        .within("max_diary_entries", 1..=65_536, |to| &mut to.h2.max_diary_entries)
        .help("assets that a connection remembers to have sent")
}

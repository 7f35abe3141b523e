//! Limits of one connection.

use std::time::Duration;

use crate::cookies;

/// Limits of one connection. Every one bounds what a single client can make the server hold or do.
///
/// With the defaults a client makes a connection hold 8 MiB at worst (counted in `tests/memory.rs`), when 128 handlers
/// keep the heads of their requests: 52 KiB for a head of 100 fields and 12 KiB, 35 KiB for one field of 15 KB, 4 KiB
/// for a small one; 2.6 MiB for as many uploads that no handler reads. Answers and pushes that a client does not read
/// come to half a MiB. Memory that handlers allocate comes on top, and that of their bodies: at
/// most one piece of each, of a size that they choose. A connection that asks for nothing holds 34 KiB; one whose socket is
/// full 64 KiB more.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Requests that a client may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS); more are refused
    /// (REFUSED_STREAM), and may be sent again. 128, of 4 to 52 KiB each.
    pub max_concurrent_streams: u32,
    /// Largest request header list, bytes, RFC 9113 section 6.5.2; one that is larger is answered with 431. All cookies
    /// count as one field, however a client splits them (section 8.2.3): what it is told and `h2` enforces is larger by the
    /// overhead of 180 cookie fields, 6,840 bytes. 16 KiB; `h2` alone would take 16 MiB.
    pub max_header_list_bytes: u32,
    /// Fields of a request head, of which all cookies are one; a head with more is answered with 431. A field costs more memory than the 32 bytes that
    /// the limit above counts for it: with 100 fields a head of 12 KiB takes 52 KiB. 100; browsers send some 25.
    pub max_header_fields: usize,
    /// Frames that carry no content which a client may send in 10 s, and at once: PING, SETTINGS, PRIORITY,
    /// PRIORITY_UPDATE, WINDOW_UPDATE, RST_STREAM, GOAWAY, empty DATA and unknown ones. One more for each 512 bytes
    /// of DATA that it was sent, so that a download pays for its own acknowledgements. Beyond: GOAWAY with
    /// ENHANCE_YOUR_CALM. At worst a client makes the server answer 100 PINGs a second. 1,000.
    pub max_control_frames: u32,
    /// Streams in 10 s, and at once, on which work was begun that came to nothing: the client reset them
    /// (CVE-2023-44487), or made `h2` reset them by breaking a rule (CVE-2025-8671). Beyond: GOAWAY with
    /// ENHANCE_YOUR_CALM. A browser that leaves a page resets what is open, [`max_concurrent_streams`] at most.
    /// 200.
    ///
    /// [`max_concurrent_streams`]: Self::max_concurrent_streams
    pub max_resets: u32,
    /// Upload window of one stream, bytes: what a client may send of a body that is not read. A fast upload over a long
    /// line wants more. 64 KiB.
    pub stream_window_bytes: u32,
    /// Upload window of the connection, bytes; bounds the unread uploads of all streams together, which take up to 2.6
    /// times as much memory. 1 MiB.
    pub connection_window_bytes: u32,
    /// Time for preface and SETTINGS. 5 s.
    pub handshake_timeout: Duration,
    /// A handler that has waited this long for the rest of a request body, in sum, gets an error in its place unless
    /// [`min_body_rate`](Self::min_body_rate) was kept. Not once the response head is out: what the client says then is
    /// its half of a conversation. 30 s.
    pub body_stall_timeout: Duration,
    /// Bytes a second of a request body that a handler waits for, averaged over
    /// [`body_stall_timeout`](Self::body_stall_timeout) of waiting. 0 asks for one byte in that time. 128.
    pub min_body_rate: u32,
    /// Takes extended CONNECT (RFC 8441), by which WebSockets come over HTTP/2. The service then gets requests of
    /// method CONNECT with a [`Protocol`](crate::Protocol) in their extensions, and must refuse the protocols that it
    /// does not speak; after a 2xx response the request's body is what the client sends and the response's body what
    /// it is sent, until each side has ended. Costs a stream for each tunnel, for as long as both sides like: no
    /// timer ends a tunnel that is silent or whose client is not reading, but [`keep_alive_interval`] notices a
    /// client that is gone. Off, it is not offered, and a client that asks all the same breaks the protocol. A CONNECT
    /// without protocol is answered with 501 in any case. Off by default.
    ///
    /// [`keep_alive_interval`]: Self::keep_alive_interval
    pub extended_connect: bool,
    /// A client from which nothing has come for this long, while a stream is open, is sent a PING. `None` for never.
    /// Costs a frame each way. 2 minutes.
    pub keep_alive_interval: Option<Duration>,
    /// A client that has sent nothing for this long after a PING is dropped. 30 s.
    pub keep_alive_timeout: Duration,
    /// Whether clients without an open stream are sent PINGs, too. Of use with an
    /// [`idle_timeout`](Self::idle_timeout) that is longer than the interval. No.
    pub keep_alive_while_idle: bool,
    /// Time for a request head that was begun. 10 s.
    pub header_timeout: Duration,
    /// A connection without streams is closed gracefully after this. 60 s.
    pub idle_timeout: Duration,
    /// A client that takes less than 1 KiB of what is ready for it is dropped after this; one that opens no window for
    /// some streams only, and takes what others send, loses those streams (CANCEL). 30 s.
    pub write_stall_timeout: Duration,
    /// DATA handed to `h2` and not yet taken by the socket, bytes. A slice that `h2` has cannot be overtaken by a more
    /// urgent response, so little is better than much: 32 KiB. Less than 16 KiB counts as 16 KiB.
    pub max_unsent_bytes: usize,
    /// The I/O takes what is written into a buffer of its own, 64 KiB at least, and writes it to its socket when it is
    /// flushed or the buffer is full: TLS that encrypts at once and sends later. The driver then gathers in there and
    /// saves a copy of all that it sends. No: a write is taken to go to the socket, and what is sent is gathered before.
    pub buffered_io: bool,
    /// Pushed streams open at once, whatever the client would allow: as many bodies that are held ready, though none is
    /// opened before there is window for it. 32.
    pub max_open_pushes: usize,
    /// Bytes of bodies promised in [`push_window`](Self::push_window), and of one body at most. One of unknown length
    /// counts as 64 KiB until it has sent more; a body for which no more is left is cut off (CANCEL). 1 MiB.
    pub max_pushed_bytes: u64,
    /// The time over which [`max_pushed_bytes`](Self::max_pushed_bytes) counts. 10 s.
    pub push_window: Duration,
    /// Pushes that a client may cancel, or open no window for, before pushing stops for its connection. 8.
    pub max_cancelled_pushes: u32,
    /// A page that takes longer than this has its pushes promised ahead of its head: the line would be idle. They wait
    /// up to [`push_patience`](Self::push_patience) for one another. If the page then turns out to be none, they are
    /// taken back (CANCEL), and what has gone out of them was sent in vain: `None` where many pages answer slowly with a
    /// redirect or an error. Until the page's own head has come the client knows of the pushes alone. 20 ms.
    pub promise_ahead_after: Option<Duration>,
    /// How long the head of a page waits for pushed responses that are not ready. 50 ms.
    pub push_patience: Duration,
    /// Promises remembered on a connection so that none is made twice. 256.
    pub max_diary_entries: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_concurrent_streams: 128,
            max_header_list_bytes: 16 << 10,
            max_header_fields: 100,
            max_control_frames: 1000,
            max_resets: 200,
            stream_window_bytes: 64 << 10,
            connection_window_bytes: 1 << 20,
            body_stall_timeout: Duration::from_secs(30),
            min_body_rate: 128,
            extended_connect: false,
            keep_alive_interval: Some(Duration::from_secs(120)),
            keep_alive_timeout: Duration::from_secs(30),
            keep_alive_while_idle: false,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_stall_timeout: Duration::from_secs(30),
            max_unsent_bytes: 32 << 10,
            buffered_io: false,
            max_open_pushes: 32,
            max_pushed_bytes: 1 << 20,
            push_window: Duration::from_secs(10),
            max_cancelled_pushes: 8,
            promise_ahead_after: Some(Duration::from_millis(20)),
            push_patience: Duration::from_millis(50),
            max_diary_entries: 256,
        }
    }
}

impl Config {
    /// These limits with some of them changed.
    ///
    /// ```
    /// let limits = headstart_h2::Config::default().with(|limits| limits.max_concurrent_streams = 64);
    /// assert_eq!(limits.max_concurrent_streams, 64);
    /// ```
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The limits that `h2` enforces, as its builder.
    pub(crate) fn builder(&self) -> h2::server::Builder {
        let mut builder = h2::server::Builder::new();
        builder
            .max_concurrent_streams(self.max_concurrent_streams)
            .max_header_list_size(self.max_header_list_bytes.saturating_add(cookies::CRUMB_BYTES))
            .initial_window_size(self.stream_window_bytes)
            .initial_connection_window_size(self.connection_window_bytes)
            // The scheduler hands over slices, so this only bounds one stream's share of what is unsent.
            .max_send_buffer_size(64 << 10)
            // Reset floods (CVE-2023-44487, CVE-2025-8671): few reset streams are kept, and their number is
            // bounded over the connection.
            .max_concurrent_reset_streams(10)
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(Some(128));
        if self.extended_connect {
            builder.enable_connect_protocol();
        }
        builder
    }
}

//! Limits of one connection.

use std::time::Duration;

/// Limits of one connection. Every one bounds what a single client can make the server hold or do; the
/// defaults hold a connection under about 3 MiB in the worst case: 64 KiB for each of 16 buffered pushes and
/// pages, 1 MiB of unread uploads, 16 KiB of header list for each of 128 streams.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Requests that a client may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). 128.
    pub max_concurrent_streams: u32,
    /// Largest request header list, bytes, RFC 9113 section 6.5.2. 16 KiB; `h2` alone would take 16 MiB.
    pub max_header_list_bytes: u32,
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
    /// Upload window of one stream, bytes. 64 KiB.
    pub stream_window_bytes: u32,
    /// Upload window of the connection, bytes; bounds unread uploads. 1 MiB.
    pub connection_window_bytes: u32,
    /// Time for preface and SETTINGS. 5 s.
    pub handshake_timeout: Duration,
    /// Time for a request head that was begun. 10 s.
    pub header_timeout: Duration,
    /// A connection without streams is closed gracefully after this. 60 s.
    pub idle_timeout: Duration,
    /// A client that takes no byte of what is ready for it is dropped after this. 30 s.
    pub write_stall_timeout: Duration,
    /// DATA handed to `h2` and not yet taken by the socket, bytes. What is below cannot be overtaken by a more
    /// urgent response, so little is better than much: 32 KiB. Less than 16 KiB counts as 16 KiB.
    pub max_unsent_bytes: usize,
    /// Pushed streams open at once, whatever the client would allow. 32.
    pub max_open_pushes: usize,
    /// Bytes of bodies promised in [`push_window`](Self::push_window); one of unknown length counts as 64 KiB, so a
    /// policy should not admit an endless one. 1 MiB.
    pub max_pushed_bytes: u64,
    /// The time over which [`max_pushed_bytes`](Self::max_pushed_bytes) counts. 10 s.
    pub push_window: Duration,
    /// Pushes that a client may cancel before pushing stops for its connection. 8.
    pub max_cancelled_pushes: u32,
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
            max_control_frames: 1000,
            max_resets: 200,
            stream_window_bytes: 64 << 10,
            connection_window_bytes: 1 << 20,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_stall_timeout: Duration::from_secs(30),
            max_unsent_bytes: 32 << 10,
            max_open_pushes: 32,
            max_pushed_bytes: 1 << 20,
            push_window: Duration::from_secs(10),
            max_cancelled_pushes: 8,
            push_patience: Duration::from_millis(50),
            max_diary_entries: 256,
        }
    }
}

impl Config {
    /// What `h2` enforces of this, as its builder.
    pub(crate) fn builder(&self) -> h2::server::Builder {
        let mut builder = h2::server::Builder::new();
        builder
            .max_concurrent_streams(self.max_concurrent_streams)
            .max_header_list_size(self.max_header_list_bytes)
            .initial_window_size(self.stream_window_bytes)
            .initial_connection_window_size(self.connection_window_bytes)
            // The scheduler hands over slices, so this only bounds one stream's share of what is unsent.
            .max_send_buffer_size(64 << 10)
            // Reset floods (CVE-2023-44487, CVE-2025-8671): few reset streams are kept, and their number is
            // bounded over the connection.
            .max_concurrent_reset_streams(10)
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(Some(128));
        builder
    }
}

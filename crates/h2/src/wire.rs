//! The state of a connection as its frames show it: written by the tap, read by the driver.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::Waker;

use atomic_waker::AtomicWaker;

use crate::flood::Meter;
use crate::frames::{self, Event, Position};
use crate::socket::{Socket, add};
use crate::updates::Updates;

/// The window of a connection before any WINDOW_UPDATE (RFC 9113, section 6.9.2), bytes.
const INITIAL_CONNECTION_WINDOW: u64 = 65_535;

/// Facts about one connection, read off its frames.
///
/// Reader and writer are polled by the same task, one after the other, so relaxed atomics carry no race: they
/// are there because the `h2` crate owns the tap and gives no way back to it. The mutex is taken only when a
/// stream is reset or a promised stream ends.
#[derive(Debug)]
pub(crate) struct Wire {
    push_enabled: AtomicBool,
    /// The client's SETTINGS_MAX_CONCURRENT_STREAMS.
    max_pushes: AtomicU32,
    settings_begun: AtomicBool,
    settings_seen: AtomicBool,
    goaway_received: AtomicBool,
    header_block_open: AtomicBool,
    frame_open: AtomicBool,
    frames_begun: AtomicU64,
    /// Whether `h2` has decoded all that the tap has passed on: it asked for more and there was none. It does not ask while
    /// it waits for room to write an acknowledgement; then the tap has seen frames that `h2` does not know of.
    drained: AtomicBool,
    /// A frame came in that may give a stream window, and `h2` may not have decoded it.
    window_changed: AtomicBool,
    window_granted: AtomicU64,
    /// Counts the events after which a stream that had no window may have some.
    window_epoch: AtomicU64,
    /// The client's SETTINGS_INITIAL_WINDOW_SIZE is 0.
    begin_closed: AtomicBool,
    data_written: AtomicU64,
    /// The DATA frame that comes in: its stream, its length and what is still to come of it.
    upload: AtomicU32,
    upload_length: AtomicU32,
    upload_left: AtomicU32,
    bytes_read: AtomicU64,
    pub(crate) socket: Socket,
    batch: Batch,
    pub(crate) meter: Meter,
    pub(crate) updates: Updates,
    reader: AtomicWaker,
    has_ends: AtomicBool,
    ends: Mutex<Vec<End>>,
}

/// The promises of one page, on their way through `h2`.
#[derive(Debug, Default)]
struct Batch {
    /// The lowest stream promised in this batch.
    first: AtomicU32,
    promised: AtomicU32,
    promises_written: AtomicU32,
    /// Heads of the pushed responses. The barrier waits for these too: a stream that is promised but not yet
    /// opened is idle to `h2`, and a RST_STREAM for it would close the connection.
    heads_written: AtomicU32,
}

/// The end of a stream, as the tap has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) stream: u32,
    pub(crate) how: Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// END_STREAM was written on a promised stream.
    Finished,
    /// The client sent RST_STREAM with this code.
    ResetByClient(u32),
    /// RST_STREAM was written.
    ResetByServer,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Wire {
            // RFC 9113, section 6.5.2: push is allowed until the client says otherwise.
            push_enabled: AtomicBool::new(true),
            // No limit is set until the client sets one (the same section).
            max_pushes: AtomicU32::new(u32::MAX),
            settings_begun: AtomicBool::new(false),
            settings_seen: AtomicBool::new(false),
            goaway_received: AtomicBool::new(false),
            header_block_open: AtomicBool::new(false),
            frame_open: AtomicBool::new(false),
            frames_begun: AtomicU64::new(0),
            drained: AtomicBool::new(true),
            window_changed: AtomicBool::new(false),
            window_granted: AtomicU64::new(INITIAL_CONNECTION_WINDOW),
            window_epoch: AtomicU64::new(0),
            begin_closed: AtomicBool::new(false),
            data_written: AtomicU64::new(0),
            upload: AtomicU32::new(0),
            upload_length: AtomicU32::new(0),
            upload_left: AtomicU32::new(0),
            bytes_read: AtomicU64::new(0),
            socket: Socket::default(),
            batch: Batch::default(),
            meter: Meter::new(),
            updates: Updates::default(),
            reader: AtomicWaker::new(),
            has_ends: AtomicBool::new(false),
            ends: Mutex::new(Vec::new()),
        }
    }

    /// Whether the client takes pushes, as its latest SETTINGS say.
    pub(crate) fn push_enabled(&self) -> bool {
        self.push_enabled.load(Relaxed) && self.settings_seen.load(Relaxed)
    }

    /// How many streams the server may have open, as the client's latest SETTINGS say.
    pub(crate) fn max_pushes(&self) -> usize {
        self.max_pushes.load(Relaxed) as usize
    }

    pub(crate) fn goaway_received(&self) -> bool {
        self.goaway_received.load(Relaxed)
    }

    /// Whether the client's SETTINGS, the second half of its connection preface, have come.
    pub(crate) fn settings_seen(&self) -> bool {
        self.settings_seen.load(Relaxed)
    }

    /// Whether the client has begun a header block or a frame other than DATA and not finished it.
    pub(crate) fn request_unfinished(&self) -> bool {
        self.frame_open.load(Relaxed) || self.header_block_open.load(Relaxed)
    }

    /// Frames that the client has begun; a header block counts as one.
    pub(crate) fn frames_begun(&self) -> u64 {
        self.frames_begun.load(Relaxed)
    }

    /// Whether `h2` has decoded all that the tap has seen.
    pub(crate) fn drained(&self) -> bool {
        self.drained.load(Relaxed)
    }

    /// Connection window granted so far, bytes.
    pub(crate) fn window_granted(&self) -> u64 {
        self.window_granted.load(Relaxed)
    }

    pub(crate) fn window_epoch(&self) -> u64 {
        self.window_epoch.load(Relaxed)
    }

    /// Whether the client gives new streams no window (SETTINGS_INITIAL_WINDOW_SIZE of 0).
    pub(crate) fn streams_begin_closed(&self) -> bool {
        self.begin_closed.load(Relaxed)
    }

    /// Payload bytes of DATA that have left `h2`; of these, at most [`held`](Socket::held) wait for the socket.
    pub(crate) fn data_written(&self) -> u64 {
        self.data_written.load(Relaxed)
    }

    /// Bytes of a DATA frame on this stream that has not come in full; `h2` has them, but passes none of them on.
    pub(crate) fn partial_upload(&self, stream: u32) -> u64 {
        let left = self.upload_left.load(Relaxed);
        if left == 0 || self.upload.load(Relaxed) != stream {
            return 0;
        }
        self.upload_length.load(Relaxed).saturating_sub(left).into()
    }

    /// All bytes that the client has sent.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes_read.store(self.bytes_read().wrapping_add(bytes as u64), Relaxed);
    }

    /// Promises and the heads of their responses were handed to `h2`, `first` being the lowest stream: reading
    /// stops until all of it is written. Only called while the barrier is open.
    pub(crate) fn promised(&self, first: u32, count: u32) {
        self.batch.first.store(first, Relaxed);
        self.batch.promised.store(count, Relaxed);
        self.batch.promises_written.store(0, Relaxed);
        self.batch.heads_written.store(0, Relaxed);
    }

    /// Whether a promise still waits inside `h2`. While it does, no frame of the client may reach `h2`: a RST_STREAM,
    /// WINDOW_UPDATE or GOAWAY for a stream whose promise is not written panics, leaks window or closes the connection
    /// (h2 0.4.20; `UPSTREAM.md`).
    pub(crate) fn barrier_closed(&self) -> bool {
        let promised = self.batch.promised.load(Relaxed);
        self.batch.promises_written.load(Relaxed) < promised || self.batch.heads_written.load(Relaxed) < promised
    }

    /// Registers the reader, which is woken when the barrier opens.
    pub(crate) fn wait_for_barrier(&self, reader: &Waker) {
        self.reader.register(reader);
    }

    /// Whether streams have ended since [`take_ends`](Self::take_ends).
    pub(crate) fn has_ends(&self) -> bool {
        self.has_ends.load(Relaxed)
    }

    /// Takes the stream ends seen since the last call. A push has not finished while the outbox holds its end.
    pub(crate) fn take_ends(&self, into: &mut Vec<End>) {
        if self.has_ends()
            && let Ok(mut ends) = self.ends.lock()
        {
            let held = self.socket.held() > 0;
            into.extend(ends.extract_if(.., |end| !held || end.how != Ended::Finished));
            self.has_ends.store(!ends.is_empty(), Relaxed);
        }
    }

    /// Bytes were passed to `h2`; `position` is where the last of them ends in the client's frames.
    pub(crate) fn fed(&self, position: Position) {
        // An upload may take its time: only what is not DATA counts as begun and not finished.
        self.frame_open.store(matches!(position, Position::Header | Position::Payload), Relaxed);
        let past_settings = position != Position::Payload || self.frames_begun.load(Relaxed) > 1;
        if past_settings && self.settings_begun.load(Relaxed) {
            self.settings_seen.store(true, Relaxed);
        }
        self.drained.store(false, Relaxed);
    }

    /// `h2` asked for more bytes and there were none.
    pub(crate) fn ran_dry(&self) {
        self.drained.store(true, Relaxed);
        if self.window_changed.swap(false, Relaxed) {
            self.window_epoch.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn inbound(&self, event: Event) {
        self.meter.inbound(event);
        if let Event::Frame { kind, .. } = event
            && kind != frames::CONTINUATION
        {
            add(&self.frames_begun, 1);
        }
        match event {
            Event::Frame { kind: frames::HEADERS | frames::CONTINUATION, flags, .. } => {
                self.header_block_open.store(flags & frames::END_HEADERS == 0, Relaxed);
            }
            Event::Frame { kind: frames::DATA, stream, length, .. } => {
                self.upload.store(stream, Relaxed);
                self.upload_length.store(length, Relaxed);
                self.upload_left.store(length, Relaxed);
            }
            Event::Data(bytes) => {
                let left = self.upload_left.load(Relaxed).saturating_sub(bytes as u32);
                self.upload_left.store(left, Relaxed);
            }
            Event::Frame { kind: frames::GOAWAY, .. } => self.goaway_received.store(true, Relaxed),
            Event::Frame { kind: frames::SETTINGS, .. } => {
                self.settings_begun.store(true, Relaxed);
                self.window_changed.store(true, Relaxed);
            }
            Event::Frame { kind: frames::PRIORITY_UPDATE, stream, length, .. } => self.updates.begun(stream, length),
            Event::Priority { stream, priority } => self.updates.note(stream, priority),
            Event::Setting { id: frames::ENABLE_PUSH, value } => {
                self.push_enabled.store(value == 1, Relaxed);
            }
            Event::Setting { id: frames::MAX_CONCURRENT_STREAMS, value } => self.max_pushes.store(value, Relaxed),
            Event::Setting { id: frames::INITIAL_WINDOW_SIZE, value } => self.begin_closed.store(value == 0, Relaxed),
            Event::Word { kind: frames::WINDOW_UPDATE, stream: 0, word } => {
                self.window_granted.fetch_add(u64::from(word & 0x7fff_ffff), Relaxed);
                self.window_changed.store(true, Relaxed);
            }
            Event::Word { kind: frames::WINDOW_UPDATE, .. } => self.window_changed.store(true, Relaxed),
            Event::Word { kind: frames::RST_STREAM, stream, word } => {
                // The stream's part of the connection's window is free again.
                self.window_changed.store(true, Relaxed);
                self.end(End { stream, how: Ended::ResetByClient(word) });
            }
            _ => {}
        }
    }

    pub(crate) fn outbound(&self, event: Event) {
        match event {
            Event::Data(bytes) => {
                add(&self.data_written, bytes as u64);
            }
            Event::Frame { kind: frames::PUSH_PROMISE, .. } => {
                self.batch.promises_written.fetch_add(1, Relaxed);
                self.open_barrier();
            }
            // A push whose head was refused is reset in its stead.
            Event::Frame { kind: frames::RST_STREAM, stream, .. }
                if self.barrier_closed() && is_push(stream) && stream >= self.batch.first.load(Relaxed) =>
            {
                self.batch.heads_written.fetch_add(1, Relaxed);
                self.open_barrier();
            }
            Event::Frame { kind: kind @ (frames::DATA | frames::HEADERS), flags, stream, .. } if is_push(stream) => {
                if kind == frames::HEADERS && stream >= self.batch.first.load(Relaxed) {
                    self.batch.heads_written.fetch_add(1, Relaxed);
                    self.open_barrier();
                }
                if flags & frames::END_STREAM != 0 {
                    self.end(End { stream, how: Ended::Finished });
                }
            }
            Event::Word { kind: frames::RST_STREAM, stream, .. } => {
                self.window_epoch.fetch_add(1, Relaxed);
                self.end(End { stream, how: Ended::ResetByServer });
            }
            _ => {}
        }
    }

    fn open_barrier(&self) {
        if !self.barrier_closed() {
            self.reader.wake();
        }
    }

    fn end(&self, end: End) {
        if let Ok(mut ends) = self.ends.lock() {
            ends.push(end);
            self.has_ends.store(true, Relaxed);
        }
    }
}

/// Streams that the server opens have even numbers (RFC 9113, section 5.1.1).
pub(crate) fn is_push(stream: u32) -> bool {
    stream != 0 && stream.is_multiple_of(2)
}

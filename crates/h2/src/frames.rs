//! Walks a byte stream of HTTP/2 frames without keeping it (RFC 9113, section 4.1).

use headstart_policy::Priority;

/// DATA, RFC 9113 section 6.1.
pub(crate) const DATA: u8 = 0x0;
/// HEADERS, section 6.2.
pub(crate) const HEADERS: u8 = 0x1;
/// RST_STREAM, section 6.4.
pub(crate) const RST_STREAM: u8 = 0x3;
/// SETTINGS, section 6.5.
pub(crate) const SETTINGS: u8 = 0x4;
/// PUSH_PROMISE, section 6.6.
pub(crate) const PUSH_PROMISE: u8 = 0x5;
/// GOAWAY, section 6.8.
pub(crate) const GOAWAY: u8 = 0x7;
/// WINDOW_UPDATE, section 6.9.
pub(crate) const WINDOW_UPDATE: u8 = 0x8;
/// CONTINUATION, section 6.10.
pub(crate) const CONTINUATION: u8 = 0x9;
/// PRIORITY_UPDATE, RFC 9218 section 7.1.
pub(crate) const PRIORITY_UPDATE: u8 = 0x10;

/// The END_STREAM flag of DATA and HEADERS.
pub(crate) const END_STREAM: u8 = 0x1;
/// The END_HEADERS flag of HEADERS and CONTINUATION.
pub(crate) const END_HEADERS: u8 = 0x4;
/// SETTINGS_ENABLE_PUSH, section 6.5.2.
pub(crate) const ENABLE_PUSH: u16 = 0x2;
/// SETTINGS_MAX_CONCURRENT_STREAMS, section 6.5.2.
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 0x3;
/// SETTINGS_INITIAL_WINDOW_SIZE, section 6.5.2.
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 0x4;

const HEADER_BYTES: usize = 9;
/// One entry of SETTINGS.
const SETTING_BYTES: usize = 6;
/// The longest payload prefix that is looked at: a stream id and a priority of 28 bytes, where `u=3, i` is usual.
const WORD_BYTES: usize = 32;

/// A report of the walker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A frame header is complete; `length` is that of the payload to come, bytes.
    Frame { kind: u8, flags: u8, stream: u32, length: u32 },
    /// That many bytes of a DATA payload went by.
    Data(usize),
    /// The 32-bit word that is the payload of RST_STREAM or WINDOW_UPDATE.
    Word { kind: u8, stream: u32, word: u32 },
    /// One entry of a SETTINGS frame.
    Setting { id: u16, value: u32 },
    /// A PRIORITY_UPDATE for this stream.
    Priority { stream: u32, priority: Priority },
}

/// A position in a stream of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// Between two frames.
    Boundary,
    /// In the payload of DATA.
    Data,
    /// In the first nine bytes of a frame.
    Header,
    /// In the payload of any other frame.
    Payload,
}

/// Walks the frames of one direction. 72 bytes; work is proportional to the frames, not to the bytes.
#[derive(Debug, Default)]
pub(crate) struct Walker {
    header: [u8; HEADER_BYTES],
    header_len: usize,
    /// Length of the payload, and how much of it is still to come, bytes.
    length: u32,
    left: usize,
    word: [u8; WORD_BYTES],
    word_len: usize,
    kind: u8,
    stream: u32,
}

impl Walker {
    /// The position in the frames of the stream.
    pub(crate) fn position(&self) -> Position {
        match (self.left, self.header_len) {
            (0, 0) => Position::Boundary,
            (0, _) => Position::Header,
            _ if self.kind == DATA => Position::Data,
            _ => Position::Payload,
        }
    }

    /// Consumes `bytes` and reports what they complete.
    pub(crate) fn walk(&mut self, mut bytes: &[u8], mut report: impl FnMut(Event)) {
        while !bytes.is_empty() {
            let taken = if self.left > 0 { self.payload(bytes, &mut report) } else { self.header(bytes, &mut report) };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    fn header(&mut self, bytes: &[u8], report: &mut impl FnMut(Event)) -> usize {
        // Almost always a header arrives whole.
        if self.header_len == 0
            && let Some(header) = bytes.first_chunk()
        {
            self.begin(*header, report);
            return HEADER_BYTES;
        }
        let mut taken = 0;
        for (to, from) in self.header.iter_mut().skip(self.header_len).zip(bytes) {
            *to = *from;
            taken += 1;
        }
        self.header_len += taken;
        if self.header_len == HEADER_BYTES {
            self.begin(self.header, report);
        }
        taken
    }

    fn begin(&mut self, header: [u8; HEADER_BYTES], report: &mut impl FnMut(Event)) {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = header;
        self.header_len = 0;
        self.length = u32::from_be_bytes([0, l0, l1, l2]);
        self.left = self.length as usize;
        self.word_len = 0;
        self.kind = kind;
        self.stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
        report(Event::Frame { kind, flags, stream: self.stream, length: self.length });
    }

    fn payload(&mut self, bytes: &[u8], report: &mut impl FnMut(Event)) -> usize {
        let taken = match self.kind {
            RST_STREAM | WINDOW_UPDATE => self.collect(4, bytes),
            SETTINGS => self.collect(SETTING_BYTES, bytes),
            PRIORITY_UPDATE if self.word_len < WORD_BYTES => self.collect(WORD_BYTES, bytes),
            _ => bytes.len().min(self.left),
        };
        self.left -= taken;
        let [w0, w1, w2, w3, w4, w5, ..] = self.word;
        match self.kind {
            DATA => report(Event::Data(taken)),
            RST_STREAM | WINDOW_UPDATE if self.word_len == 4 => {
                self.word_len = 0;
                let word = u32::from_be_bytes([w0, w1, w2, w3]);
                report(Event::Word { kind: self.kind, stream: self.stream, word });
            }
            SETTINGS if self.word_len == SETTING_BYTES => {
                self.word_len = 0;
                let (id, value) = (u16::from_be_bytes([w0, w1]), u32::from_be_bytes([w2, w3, w4, w5]));
                report(Event::Setting { id, value });
            }
            PRIORITY_UPDATE if self.left == 0 && self.word_len >= 4 => {
                let stream = u32::from_be_bytes([w0 & 0x7f, w1, w2, w3]);
                report(Event::Priority { stream, priority: Priority::from_field(self.priority_field()) });
            }
            _ => {}
        }
        taken
    }

    /// The field of a PRIORITY_UPDATE. If it is too long, only the members that were collected whole.
    fn priority_field(&self) -> &[u8] {
        let field = self.word.get(4..self.word_len).unwrap_or_default();
        if self.length as usize <= WORD_BYTES {
            return field;
        }
        let whole = field.iter().rposition(|byte| *byte == b',').unwrap_or_default();
        field.get(..whole).unwrap_or_default()
    }

    /// Takes bytes into `word` until it holds `want`; never past the frame's end.
    fn collect(&mut self, want: usize, bytes: &[u8]) -> usize {
        let mut taken = 0;
        let room = want.saturating_sub(self.word_len).min(self.left);
        for (to, from) in self.word.iter_mut().skip(self.word_len).take(room).zip(bytes) {
            *to = *from;
            taken += 1;
        }
        self.word_len += taken;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn events(chunks: &[&[u8]]) -> Vec<Event> {
        let (mut walker, mut events) = (Walker::default(), Vec::new());
        for chunk in chunks {
            walker.walk(chunk, |event| match (events.last_mut(), event) {
                (Some(Event::Data(sum)), Event::Data(more)) => *sum += more,
                _ => events.push(event),
            });
        }
        events
    }

    fn sample() -> Vec<u8> {
        let mut bytes = frame(SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0]);
        bytes.extend(frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0]));
        bytes.extend(frame(DATA, END_STREAM, 2, &[7; 100]));
        bytes.extend(frame(RST_STREAM, 0, 4, &[0, 0, 0, 8]));
        bytes.extend(frame(DATA, 0, 6, &[]));
        bytes.extend(frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x05u=1, i"));
        bytes.extend(frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x07u=5;a=123456789, i;b=1234567890"));
        bytes.extend(frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0"));
        bytes.extend(frame(DATA, 0, 8, &[]));
        bytes
    }

    #[test]
    fn reports_what_the_driver_needs() {
        let frame = |kind, flags, stream, length| Event::Frame { kind, flags, stream, length };
        assert_eq!(
            events(&[&sample()]),
            [
                frame(SETTINGS, 0, 0, 12),
                Event::Setting { id: ENABLE_PUSH, value: 0 },
                Event::Setting { id: 4, value: 65_536 },
                frame(WINDOW_UPDATE, 0, 0, 4),
                Event::Word { kind: WINDOW_UPDATE, stream: 0, word: 256 },
                frame(DATA, END_STREAM, 2, 100),
                Event::Data(100),
                frame(RST_STREAM, 0, 4, 4),
                Event::Word { kind: RST_STREAM, stream: 4, word: 8 },
                frame(DATA, 0, 6, 0),
                frame(PRIORITY_UPDATE, 0, 0, 10),
                Event::Priority { stream: 5, priority: Priority { urgency: 1, incremental: true } },
                frame(PRIORITY_UPDATE, 0, 0, 35),
                Event::Priority { stream: 7, priority: Priority { urgency: 5, incremental: false } },
                frame(PRIORITY_UPDATE, 0, 0, 3),
                frame(DATA, 0, 8, 0),
            ]
        );
    }

    #[test]
    fn any_split_reports_the_same() {
        let bytes = sample();
        for at in 0..=bytes.len() {
            let (a, b) = bytes.split_at(at);
            assert_eq!(events(&[a, b]), events(&[&bytes]), "split at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(events(&single), events(&[&bytes]));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_walked(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut walker = Walker::default();
            walker.walk(&bytes, |_| ());
        }
    }
}

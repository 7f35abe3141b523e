//! Frames as bytes and as words, legal or not (RFC 9113, sections 4 and 6).

use std::fmt;

/// The client's connection preface.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame type.
pub const DATA: u8 = 0;
/// Frame type.
pub const HEADERS: u8 = 1;
/// Frame type.
pub const PRIORITY: u8 = 2;
/// Frame type.
pub const RST_STREAM: u8 = 3;
/// Frame type.
pub const SETTINGS: u8 = 4;
/// Frame type.
pub const PUSH_PROMISE: u8 = 5;
/// Frame type.
pub const PING: u8 = 6;
/// Frame type.
pub const GOAWAY: u8 = 7;
/// Frame type.
pub const WINDOW_UPDATE: u8 = 8;
/// Frame type.
pub const CONTINUATION: u8 = 9;
/// Frame type (RFC 9218).
pub const PRIORITY_UPDATE: u8 = 16;

const TYPE_NAMES: [&str; 10] =
    ["DATA", "HEADERS", "PRIORITY", "RST", "SETTINGS", "PROMISE", "PING", "GOAWAY", "WINDOW", "CONTINUATION"];

/// Setting.
pub const HEADER_TABLE_SIZE: u16 = 1;
/// Setting.
pub const ENABLE_PUSH: u16 = 2;
/// Setting.
pub const MAX_CONCURRENT_STREAMS: u16 = 3;
/// Setting.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

/// Error code.
pub const CANCEL: u32 = 8;

/// END_STREAM of DATA and HEADERS.
pub const END: u8 = 1;
/// ACK of SETTINGS and PING.
pub const ACK: u8 = 1;
/// END_HEADERS of HEADERS, PUSH_PROMISE and CONTINUATION.
pub const END_HEADERS: u8 = 4;

/// The largest frame that every peer takes.
const MAX_FRAME_SIZE: usize = 16_384;
/// Bytes of a frame's header.
const HEADER_BYTES: usize = 9;

/// Makes any frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Makes SETTINGS.
pub fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> =
        entries.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
    frame(SETTINGS, 0, 0, &payload)
}

/// Makes the preface, these settings, and the acknowledgement of the server's, which is not waited for.
pub fn greeting(entries: &[(u16, u32)]) -> Vec<u8> {
    [PREFACE, &settings(entries), &frame(SETTINGS, ACK, 0, &[])].concat()
}

/// Makes a request without a body.
pub fn get(stream: u32, path: &str) -> Vec<u8> {
    request(stream, "GET", path, &[], true)
}

/// Makes a request head to `https://a.example`; `ends` if no body follows.
pub fn request(stream: u32, method: &str, path: &str, fields: &[(&str, &str)], ends: bool) -> Vec<u8> {
    request_to("a.example", stream, method, path, fields, ends)
}

/// Makes a request head to an authority of one's choice.
pub fn request_to(
    authority: &str,
    stream: u32,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    ends: bool,
) -> Vec<u8> {
    head(stream, ends, &block(authority, method, path, fields))
}

/// Makes HEADERS of a field block: one frame, even if that is longer than a peer takes.
pub fn head(stream: u32, ends: bool, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | u8::from(ends), stream, block)
}

/// Makes HEADERS of a field block, with CONTINUATION where it is longer than the smallest limit of frames.
pub fn long_head(stream: u32, ends: bool, block: &[u8]) -> Vec<u8> {
    let mut chunks = block.chunks(MAX_FRAME_SIZE).peekable();
    let mut bytes = Vec::new();
    let mut kind = HEADERS;
    while let Some(chunk) = chunks.next() {
        let last = if chunks.peek().is_none() { END_HEADERS } else { 0 };
        let flags = if kind == HEADERS { last | u8::from(ends) } else { last };
        bytes.extend(frame(kind, flags, stream, chunk));
        kind = CONTINUATION;
    }
    bytes
}

/// Makes the field block of a request. Nothing is checked and nothing compressed.
pub fn block(authority: &str, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "https"), (":path", path), (":authority", authority)];
    pseudo.iter().chain(more).flat_map(|(name, value)| field(name, value)).collect()
}

/// Makes a field that is not indexed, without Huffman code (RFC 7541, section 6.2.2).
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        integer(&mut bytes, text.len());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// Appends an integer with a prefix of seven bits (RFC 7541, section 5.1).
pub fn integer(bytes: &mut Vec<u8>, value: usize) {
    if value < 127 {
        bytes.push(value as u8);
        return;
    }
    bytes.push(127);
    let mut rest = value - 127;
    while rest >= 128 {
        bytes.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    bytes.push(rest as u8);
}

/// Makes DATA of so many bytes.
pub fn data(stream: u32, bytes: usize, ends: bool) -> Vec<u8> {
    frame(DATA, u8::from(ends), stream, &vec![b'u'; bytes])
}

/// Makes RST_STREAM.
pub fn rst(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// Makes WINDOW_UPDATE.
pub fn window(stream: u32, bytes: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
}

/// Makes GOAWAY without an error: no stream above `last` was processed.
pub fn goaway(last: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
}

/// A frame that the server sent.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream; 0 for the connection.
    pub stream: u32,
    /// The payload after its header.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Takes the first whole frame off the front of `bytes`.
    pub fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let &[l0, l1, l2, kind, flags, s0, s1, s2, s3, ..] = &bytes[..] else { return None };
        let length = HEADER_BYTES + u32::from_be_bytes([0, l0, l1, l2]) as usize;
        if bytes.len() < length {
            return None;
        }
        let payload = bytes.drain(..length).skip(HEADER_BYTES).collect();
        Some(Self { kind, flags, stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]), payload })
    }

    /// All whole frames in some bytes.
    pub fn all(bytes: &[u8]) -> Vec<Self> {
        let mut bytes = bytes.to_vec();
        std::iter::from_fn(|| Self::take(&mut bytes)).collect()
    }

    /// Its length on the wire, in bytes.
    pub fn bytes(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }

    /// A 32-bit word of the payload: the error of RST_STREAM, the stream of PUSH_PROMISE, and their like; 0 if the payload
    /// is shorter.
    pub fn word(&self, at: usize) -> u32 {
        let word = self.payload.get(at..at + 4).and_then(|word| word.try_into().ok());
        word.map_or(0, u32::from_be_bytes)
    }

    /// Whether it ends its stream in an orderly way.
    pub fn ends(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END != 0
    }

    /// The status at the head of a header block; `None` for trailers. [`Peer`](crate::Peer) forbids a dynamic table, so it
    /// is an entry of the static table or three digits, Huffman-coded or not (RFC 7541, appendices A and B).
    pub fn status(&self) -> Option<u16> {
        let mut block = &self.payload[..];
        while let [first @ 0x20..=0x3f, rest @ ..] = block {
            // A size of 31 or more goes on in bytes of 7 bits.
            let more = rest.iter().take_while(|byte| **byte >= 0x80).count() + 1;
            block = if *first == 0x3f { rest.get(more..)? } else { rest };
        }
        match block {
            [index @ 0x88..=0x8e, ..] => Some([200, 204, 206, 304, 400, 404, 500][usize::from(index - 0x88)]),
            [0x08 | 0x18 | 0x48, length, value @ ..] => {
                let value = value.get(..usize::from(length & 0x7f))?;
                if length & 0x80 != 0 { digits(value) } else { std::str::from_utf8(value).ok()?.parse().ok() }
            }
            _ => None,
        }
    }
}

/// Three Huffman-coded digits: 0, 1 and 2 have the codes 0 to 2 in five bits, 3 to 9 have 25 to 31 in six.
fn digits(coded: &[u8]) -> Option<u16> {
    let mut bits = coded.iter().flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let five = bits.by_ref().take(5).fold(0, |code, bit| code * 2 + bit);
        let digit = if five < 3 { five } else { (five * 2 + bits.next()? + 3).checked_sub(25)? };
        number = number * 10 + digit;
    }
    Some(number)
}

/// One frame in a word or two, as the traces of the tests show it.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frame { kind, stream, .. } = self;
        match TYPE_NAMES.get(usize::from(*kind)) {
            Some(name) => write!(f, "{name} {stream}")?,
            None => write!(f, "0x{kind:x} {stream}")?,
        }
        match *kind {
            DATA => write!(f, " {}", self.payload.len())?,
            HEADERS => match self.status() {
                Some(status) => write!(f, " {status}")?,
                None => f.write_str(" trailers")?,
            },
            PUSH_PROMISE => write!(f, ">{}", self.word(0))?,
            RST_STREAM => write!(f, " {}", self.word(0))?,
            GOAWAY => write!(f, " {}", self.word(4))?,
            _ => {}
        }
        f.write_str(if self.ends() { " end" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_whichever_way_it_is_written() {
        let head = |payload: &[u8]| Frame { kind: HEADERS, flags: 0, stream: 1, payload: payload.to_vec() }.status();
        assert_eq!(head(&[0x20, 0x88]), Some(200));
        assert_eq!(head(&[0x20, 0x3f, 0xe1, 0x1f, 0x88]), Some(200));
        assert_eq!(head(&[0x08, 0x82, 0b0000_1000, 0b0001_1001]), Some(103));
        assert_eq!(head(&[0x48, 0x83, 0b0110_1100, 0b0000_0000, 0b1111_1111]), Some(500));
        assert_eq!(head(&[0x48, 0x03, b'4', b'2', b'1']), Some(421));
        assert_eq!(head(&[0x00, 0x01, b'x', 0x00]), None);
        assert_eq!(head(&[0x48, 0x83, 0xff]), None, "cut short");
    }

    #[test]
    fn frames_are_taken_whole_and_in_order() {
        let mut bytes = [frame(DATA, END, 3, b"abc"), frame(PING, 0, 0, b"12345678")].concat();
        let cut = bytes.split_off(bytes.len() - 1);
        let first = Frame::take(&mut bytes).map(|frame| frame.to_string());
        assert_eq!(first.as_deref(), Some("DATA 3 3 end"));
        assert!(Frame::take(&mut bytes).is_none());
        bytes.extend(cut);
        assert_eq!(Frame::take(&mut bytes).map(|frame| frame.payload), Some(b"12345678".to_vec()));
        assert!(bytes.is_empty());
    }

    #[test]
    fn a_long_head_goes_on_in_continuation() {
        let long = "x".repeat(20_000);
        let block = block("a", "GET", "/", &[("cookie", &long)]);
        let kinds: Vec<(u8, u8)> =
            Frame::all(&long_head(1, true, &block)).iter().map(|frame| (frame.kind, frame.flags)).collect();
        assert_eq!(kinds, [(HEADERS, END), (CONTINUATION, END_HEADERS)]);
    }
}

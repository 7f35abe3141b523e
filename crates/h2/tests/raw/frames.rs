//! Frames as bytes and as words (RFC 9113, sections 4 and 6).

use std::fmt;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const PRIORITY_UPDATE: u8 = 16;

const KINDS: [&str; 10] =
    ["DATA", "HEADERS", "PRIORITY", "RST", "SETTINGS", "PROMISE", "PING", "GOAWAY", "WINDOW", "CONTINUATION"];

pub(crate) const HEADER_TABLE_SIZE: u16 = 1;
pub(crate) const ENABLE_PUSH: u16 = 2;
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;

pub(crate) const CANCEL: u32 = 8;

/// END_STREAM of DATA and HEADERS, ACK of SETTINGS and PING.
pub(crate) const END: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

pub(crate) fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> =
        entries.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
    frame(SETTINGS, 0, 0, &payload)
}

/// A request without a body.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    request(stream, "GET", path, &[], true)
}

/// A request head. Fields are literals without compression (RFC 7541, section 6.2.2).
pub(crate) fn request(stream: u32, method: &str, path: &str, fields: &[(&str, &str)], ends: bool) -> Vec<u8> {
    request_to("a.example", stream, method, path, fields, ends)
}

pub(crate) fn request_to(
    authority: &str,
    stream: u32,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    ends: bool,
) -> Vec<u8> {
    let mut block = Vec::new();
    let pseudo = [(":method", method), (":scheme", "https"), (":path", path), (":authority", authority)];
    for (name, value) in pseudo.iter().chain(fields) {
        block.push(0);
        string(&mut block, name);
        string(&mut block, value);
    }
    frame(HEADERS, END_HEADERS | u8::from(ends), stream, &block)
}

/// A string literal of RFC 7541, section 5.2, of less than 16 KiB.
fn string(block: &mut Vec<u8>, text: &str) {
    match text.len() {
        short @ 0..127 => block.push(short as u8),
        long => {
            let mut rest = long - 127;
            block.push(127);
            while rest >= 128 {
                block.push((rest % 128 + 128) as u8);
                rest /= 128;
            }
            block.push(rest as u8);
        }
    }
    block.extend(text.as_bytes());
}

pub(crate) fn data(stream: u32, bytes: usize, ends: bool) -> Vec<u8> {
    frame(DATA, u8::from(ends), stream, &vec![b'u'; bytes])
}

pub(crate) fn rst(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub(crate) fn window(stream: u32, bytes: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
}

/// "No stream of yours above `last` was looked at", without an error.
pub(crate) fn goaway(last: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
}

/// A frame that the server sent.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// A 32-bit word of the payload: the error of RST_STREAM, the stream of PUSH_PROMISE, and their like.
    pub(crate) fn word(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    pub(crate) fn ends(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END != 0
    }

    /// The status at the head of a header block; `None` for trailers. The peer forbids a dynamic table, so it is
    /// an entry of the static table or three Huffman-coded digits (RFC 7541, appendices A and B).
    pub(crate) fn status(&self) -> Option<u16> {
        let mut block = &self.payload[..];
        while let [first @ 0x20..=0x3f, rest @ ..] = block {
            // A size of 31 or more goes on in bytes of 7 bits.
            let more = rest.iter().take_while(|byte| **byte >= 0x80).count() + 1;
            block = if *first == 0x3f { &rest[more..] } else { rest };
        }
        match block {
            [index @ 0x88..=0x8e, ..] => Some([200, 204, 206, 304, 400, 404, 500][usize::from(index - 0x88)]),
            [0x08 | 0x18 | 0x48, length, value @ ..] => {
                let value = &value[..usize::from(length & 0x7f)];
                let coded = length & 0x80 != 0;
                Some(if coded { digits(value) } else { std::str::from_utf8(value).unwrap().parse().unwrap() })
            }
            _ => None,
        }
    }
}

/// Three Huffman-coded digits: 0, 1 and 2 have the codes 0 to 2 in five bits, 3 to 9 have 25 to 31 in six.
fn digits(coded: &[u8]) -> u16 {
    let mut bits = coded.iter().flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    (0..3).fold(0, |number, _| {
        let five = bits.by_ref().take(5).fold(0, |code, bit| code * 2 + bit);
        let digit = if five < 3 { five } else { five * 2 + bits.next().unwrap() - 25 + 3 };
        number * 10 + digit
    })
}

/// One frame in a word or two, as the traces of the tests show it.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frame { kind, stream, .. } = self;
        match KINDS.get(usize::from(*kind)) {
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

#[test]
fn a_status_is_read_whichever_way_it_is_written() {
    let head = |payload: &[u8]| Frame { kind: HEADERS, flags: 0, stream: 1, payload: payload.to_vec() }.status();
    assert_eq!(head(&[0x20, 0x88]), Some(200));
    assert_eq!(head(&[0x20, 0x3f, 0xe1, 0x1f, 0x88]), Some(200));
    assert_eq!(head(&[0x08, 0x82, 0b0000_1000, 0b0001_1001]), Some(103));
    assert_eq!(head(&[0x48, 0x83, 0b0110_1100, 0b0000_0000, 0b1111_1111]), Some(500));
    assert_eq!(head(&[0x48, 0x03, b'4', b'2', b'1']), Some(421));
    assert_eq!(head(&[0x00, 0x01, b'x', 0x00]), None);
}

//! Header blocks and frames with everything that may be wrong in them.

use testkit::frames::{END, END_HEADERS, HEADERS, frame};

pub(crate) const PADDED: u8 = 8;
pub(crate) const PRIORITY_FLAG: u8 = 0x20;
pub(crate) const PRIORITY: u8 = 2;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
pub(crate) const STREAM_CLOSED: u32 = 5;
pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const COMPRESSION_ERROR: u32 = 9;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// The pseudo-header fields of a GET.
pub(crate) const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":path", "/bytes/10"), (":authority", "a.example")];

/// The pseudo-header fields of an upload that the handler reads to its end.
pub(crate) const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "https"), (":path", "/upload/0"), (":authority", "a.example")];

/// Literals that are not indexed, names included, without Huffman coding (RFC 7541, section 6.2.2).
pub(crate) fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(0, name.as_ref(), value.as_ref())).collect()
}

/// One literal field; `kind` is 0x40 with indexing, 0x00 without, 0x10 never indexed.
pub(crate) fn literal(kind: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    for text in [name, value] {
        integer(&mut bytes, 0, 7, text.len());
        bytes.extend(text);
    }
    bytes
}

/// An integer with a prefix of so many bits (RFC 7541, section 5.1).
pub(crate) fn integer(bytes: &mut Vec<u8>, first: u8, prefix: u32, value: usize) {
    let most = (1_usize << prefix) - 1;
    if value < most {
        bytes.push(first | value as u8);
        return;
    }
    bytes.push(first | most as u8);
    let mut rest = value - most;
    while rest >= 128 {
        bytes.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    bytes.push(rest as u8);
}

/// A whole header block in one HEADERS frame.
pub(crate) fn headers(stream: u32, block: &[u8], ends: bool) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | if ends { END } else { 0 }, stream, block)
}

/// A request head of these fields.
pub(crate) fn request<N: AsRef<[u8]>, V: AsRef<[u8]>>(stream: u32, fields: &[(N, V)], ends: bool) -> Vec<u8> {
    headers(stream, &block(fields), ends)
}

/// A GET with more fields.
pub(crate) fn get_with(stream: u32, more: &[(&str, &str)]) -> Vec<u8> {
    request(stream, &[&GET[..], more].concat(), true)
}

/// The head of an upload with more fields.
pub(crate) fn post_with(stream: u32, more: &[(&str, &str)]) -> Vec<u8> {
    request(stream, &[&POST[..], more].concat(), false)
}

/// A frame whose payload is padded: the length of the padding, the content, the padding.
pub(crate) fn padded(kind: u8, flags: u8, stream: u32, content: &[u8], padding: u8) -> Vec<u8> {
    let payload = [&[padding][..], content, &vec![0; usize::from(padding)]].concat();
    frame(kind, flags | PADDED, stream, &payload)
}

//! Content codings of an upstream, undone while reading. Bounded: the reader takes 512 KiB, and what it does not take is
//! not decoded.

use std::collections::VecDeque;
use std::io::{self, Read};

use bytes::{Buf, Bytes};
use headstart_markup::{MAX_DOCUMENT_BYTES, Reader};
use http::{HeaderMap, header};

/// Largest window of zstd, as a power of two: RFC 8878 asks for 8 MiB.
const MAX_WINDOW_LOG: u8 = 23;

/// A content coding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Brotli,
    Gzip,
    Identity,
    Zstd,
}

impl Coding {
    /// `None` for what cannot be undone: unknown, or several.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(field) = fields.next() else { return Some(Coding::Identity) };
        let name = field.to_str().ok().filter(|_| fields.next().is_none())?.trim();
        let known = [
            ("br", Coding::Brotli),
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("identity", Coding::Identity),
            ("zstd", Coding::Zstd),
        ];
        known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, coding)| coding)
    }

    /// Gives the decoded document to the reader, and returns how many bytes it took.
    ///
    /// # Errors
    ///
    /// If the bytes are not of this coding; the reader has what came before.
    pub(crate) fn read(self, parts: VecDeque<Bytes>, to: &mut Reader) -> io::Result<usize> {
        let parts = Parts(parts);
        match self {
            Coding::Brotli => pass(brotli::Decompressor::new(parts, 8 << 10), to),
            Coding::Gzip => pass(flate2::read::MultiGzDecoder::new(parts), to),
            Coding::Identity => pass(parts, to),
            Coding::Zstd => {
                if parts.0.front().is_none_or(|first| window_log(first) > MAX_WINDOW_LOG) {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                let decoder = ruzstd::decoding::StreamingDecoder::new(parts);
                pass(decoder.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?, to)
            }
        }
    }
}

fn pass(mut from: impl Read, to: &mut Reader) -> io::Result<usize> {
    let (mut buffer, mut taken) = (vec![0; 16 << 10], 0);
    while taken <= MAX_DOCUMENT_BYTES && !to.is_done() {
        let read = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        to.write(bytes);
        taken += read;
    }
    Ok(taken)
}

/// The window that a frame asks for (RFC 8878, 3.1.1.1), as a power of two; 255 for what is no frame.
fn window_log(frame: &[u8]) -> u8 {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, next, ..] = frame else { return u8::MAX };
    if descriptor & 0x20 == 0 {
        return 11 + (next >> 3);
    }
    // A single segment: the window is the content. Four bytes of length and more may be a large one.
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0);
    let size = frame.get(5 + dictionary..).unwrap_or_default();
    match (descriptor >> 6, size) {
        (0 | 1, _) => 17,
        (2, [_, _, third, 0, ..]) if *third < 0x80 => 23,
        _ => u8::MAX,
    }
}

/// The parts of a body as a reader.
struct Parts(VecDeque<Bytes>);

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(first) = self.0.front_mut() {
            if first.is_empty() {
                self.0.pop_front();
                continue;
            }
            let count = first.len().min(buffer.len());
            if let Some(to) = buffer.get_mut(..count) {
                first.copy_to_slice(to);
            }
            return Ok(count);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headstart_markup::Location;
    use std::io::Write;

    fn assets(coding: Coding, body: &[u8]) -> (bool, usize) {
        let mut reader = Reader::new(Location::new("https", "a.example", "/").unwrap());
        let parts = body.chunks(100).map(Bytes::copy_from_slice).collect();
        let sound = coding.read(parts, &mut reader).is_ok();
        (sound, reader.finish().assets.len())
    }

    #[test]
    fn codings_are_undone_and_lies_end_the_reading() {
        let html = "<img src=/a.png><p>some text</p>".repeat(500);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(html.as_bytes()).unwrap();
        let mut br = Vec::new();
        brotli::BrotliCompress(&mut html.as_bytes(), &mut br, &brotli::enc::BrotliEncoderParams::default()).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(html.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
        for (coding, body) in [
            (Coding::Identity, html.clone().into_bytes()),
            (Coding::Gzip, gzip.finish().unwrap()),
            (Coding::Brotli, br),
            (Coding::Zstd, zstd),
        ] {
            assert_eq!(assets(coding, &body), (true, 500), "{coding:?}");
            if coding != Coding::Identity {
                assert!(!assets(coding, html.as_bytes()).0, "{coding:?}");
                let half = body.get(..body.len() / 2).unwrap();
                assert!(!assets(coding, half).0 || coding == Coding::Brotli, "{coding:?}");
            }
        }
    }

    #[test]
    fn windows_are_bounded() {
        assert_eq!(window_log(b"\x28\xb5\x2f\xfd\x00\x58"), 22);
        assert_eq!(window_log(b"\x28\xb5\x2f\xfd\x00\xff"), 42);
        assert_eq!(window_log(b"\x28\xb5\x2f\xfd\xa0\xff\xff\xff\xff"), u8::MAX);
        assert_eq!(window_log(b"nothing"), u8::MAX);
    }
}

//! The encoders, each from a library.

use std::io::{self, Write as _};

use super::Coding;

/// How hard to try, by coding. More is denser and slower.
///
/// The default is for content that is encoded once and sent many times; [`Levels::LIVE`] is for content that is encoded each
/// time that it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// Brotli, 0 to 11. 6 by default, 4 live.
    pub br: i32,
    /// Zstandard, 1 to 19. 12 by default, 3 live.
    pub zstd: i32,
    /// gzip, 1 to 9. 6 by default, 5 live.
    pub gzip: u32,
}

impl Levels {
    /// For content that is sent once.
    pub const LIVE: Self = Self { br: 4, zstd: 3, gzip: 5 };
}

impl Default for Levels {
    fn default() -> Self {
        Self { br: 6, zstd: 12, gzip: 6 }
    }
}

/// The content in that coding: the same for the same content, level and version of the library.
///
/// # Errors
///
/// If the library fails, which it has no reason to.
pub fn compress(coding: Coding, levels: Levels, content: &[u8]) -> io::Result<Vec<u8>> {
    // Text shrinks to a third or so.
    let mut out = Vec::with_capacity(content.len() / 3 + 64);
    match coding {
        Coding::Br => {
            let params = brotli::enc::BrotliEncoderParams {
                quality: levels.br.clamp(0, 11),
                // The window is at least the content, up to the 16 MiB that decoders must take (RFC 7932, section 9.1).
                lgwin: (content.len().max(2).ilog2() + 1).clamp(11, 24).cast_signed(),
                size_hint: content.len(),
                ..Default::default()
            };
            brotli::BrotliCompress(&mut { content }, &mut out, &params)?;
        }
        Coding::Zstd => {
            let mut encoder = zstd::Encoder::new(&mut out, levels.zstd.clamp(1, 19))?;
            // Clients need not take more (RFC 9659).
            encoder.window_log(content.len().max(2).ilog2().clamp(10, 22) + 1)?;
            encoder.include_checksum(false)?;
            encoder.set_pledged_src_size(Some(content.len() as u64))?;
            encoder.write_all(content)?;
            encoder.finish()?;
        }
        Coding::Gzip => {
            let level = flate2::Compression::new(levels.gzip.clamp(1, 9));
            let mut encoder = flate2::write::GzEncoder::new(&mut out, level);
            encoder.write_all(content)?;
            encoder.finish()?;
        }
    }
    Ok(out)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Read as _;

    use super::*;

    pub(crate) fn decompress(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let read = match coding {
            Coding::Br => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out),
            // Another implementation than the one that wrote it.
            Coding::Zstd => ruzstd::decoding::StreamingDecoder::new(bytes).unwrap().read_to_end(&mut out),
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out),
        };
        assert_eq!(read.unwrap(), out.len());
        out
    }

    #[test]
    fn round_trips() {
        let text = "one two three four five six seven ".repeat(300);
        for content in ["", "a", &text] {
            for coding in Coding::ALL {
                for levels in
                    [Levels::default(), Levels { br: 0, zstd: 1, gzip: 1 }, Levels { br: 99, zstd: 99, gzip: 99 }]
                {
                    let bytes = compress(coding, levels, content.as_bytes()).unwrap();
                    assert_eq!(decompress(coding, &bytes), content.as_bytes(), "{coding:?} {levels:?}");
                    assert_eq!(bytes, compress(coding, levels, content.as_bytes()).unwrap());
                    assert!(content.len() < 1000 || bytes.len() < content.len() / 10);
                }
            }
        }
    }
}

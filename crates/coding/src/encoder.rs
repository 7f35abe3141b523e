//! An encoder of content that comes in pieces.

use std::fmt;
use std::io::{self, Write as _};

use super::{Coding, Levels};

/// A power of two: how far back Brotli and Zstandard look here. What comes in pieces is sent once, and each encoder has
/// this much of it in memory.
const WINDOW: u8 = 17;

/// Encodes content that comes in pieces. What is written comes out when the encoder has enough of it, or when it is
/// flushed.
///
/// ```
/// use headstart_coding::{Coding, Encoder, Levels};
///
/// # fn main() -> std::io::Result<()> {
/// let mut encoder = Encoder::new(Coding::Gzip, Levels::LIVE)?;
/// encoder.write(b"data: 1\n\n")?;
/// assert!(!encoder.flush()?.is_empty(), "whoever reads this has the first event");
/// encoder.write(b"data: 2\n\n")?;
/// let _rest: Vec<u8> = encoder.finish()?;
/// # Ok(())
/// # }
/// ```
pub struct Encoder(Kind);

enum Kind {
    Br(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// An encoder that nothing was written to; see [`Encoder::memory`] for what it takes.
    ///
    /// # Errors
    ///
    /// If the library fails, as it does without memory.
    pub fn new(coding: Coding, levels: Levels) -> io::Result<Self> {
        Ok(Encoder(match coding {
            Coding::Br => {
                let quality = levels.br.clamp(0, 11).unsigned_abs();
                Kind::Br(Box::new(brotli::CompressorWriter::new(Vec::new(), 4 << 10, quality, WINDOW.into())))
            }
            Coding::Zstd => {
                let mut encoder = zstd::Encoder::new(Vec::new(), levels.zstd.clamp(1, 19))?;
                encoder.window_log(WINDOW.into())?;
                encoder.include_checksum(false)?;
                Kind::Zstd(encoder)
            }
            Coding::Gzip => {
                let level = flate2::Compression::new(levels.gzip.clamp(1, 9));
                Kind::Gzip(flate2::write::GzEncoder::new(Vec::new(), level))
            }
        }))
    }

    /// About how many bytes an encoder takes at the levels of [`Levels::LIVE`].
    pub fn memory(coding: Coding) -> usize {
        match coding {
            Coding::Br => 2560 << 10,
            Coding::Zstd => 1536 << 10,
            Coding::Gzip => 384 << 10,
        }
    }

    /// Takes more of the content, all of it. Linear in it; the processor is not given away meanwhile.
    ///
    /// # Errors
    ///
    /// If the library fails, which it has no reason to.
    pub fn write(&mut self, content: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Kind::Br(encoder) => encoder.write_all(content),
            Kind::Zstd(encoder) => encoder.write_all(content),
            Kind::Gzip(encoder) => encoder.write_all(content),
        }
    }

    /// Takes the output since the last call; often empty.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(match &mut self.0 {
            Kind::Br(encoder) => encoder.get_mut(),
            Kind::Zstd(encoder) => encoder.get_mut(),
            Kind::Gzip(encoder) => encoder.get_mut(),
        })
    }

    /// Has all come out that was written, so that the reader can decode it, and takes it. Costs some bytes each time.
    ///
    /// # Errors
    ///
    /// As [`Encoder::write`].
    pub fn flush(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.0 {
            Kind::Br(encoder) => encoder.flush(),
            Kind::Zstd(encoder) => encoder.flush(),
            Kind::Gzip(encoder) => encoder.flush(),
        }?;
        Ok(self.take())
    }

    /// The rest, with which the content ends.
    ///
    /// # Errors
    ///
    /// As [`Encoder::write`].
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self.0 {
            Kind::Br(encoder) => Ok(encoder.into_inner()),
            Kind::Zstd(encoder) => encoder.finish(),
            Kind::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let coding = match &self.0 {
            Kind::Br(_) => Coding::Br,
            Kind::Zstd(_) => Coding::Zstd,
            Kind::Gzip(_) => Coding::Gzip,
        };
        f.debug_tuple("Encoder").field(&coding).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::encode::tests::decompress;

    #[test]
    fn pieces_are_one_content() {
        let text = "one two three four five six seven ".repeat(3000);
        for coding in Coding::ALL {
            for size in [1000, 40_000, usize::MAX] {
                let mut encoder = Encoder::new(coding, Levels::LIVE).unwrap();
                let mut out = Vec::new();
                for (number, piece) in text.as_bytes().chunks(size).enumerate() {
                    encoder.write(piece).unwrap();
                    out.extend(if number % 3 == 0 { encoder.flush().unwrap() } else { encoder.take() });
                }
                out.extend(encoder.finish().unwrap());
                assert_eq!(decompress(coding, &out), text.as_bytes(), "{coding:?} by {size}");
                assert!(out.len() < text.len() / 10, "{coding:?} by {size}: {}", out.len());
            }
            assert_eq!(decompress(coding, &Encoder::new(coding, Levels::LIVE).unwrap().finish().unwrap()), b"");
        }
    }

    /// All that a decoder gives before it wants more.
    fn decodable(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut decoder: Box<dyn io::Read + '_> = match coding {
            Coding::Br => Box::new(brotli::Decompressor::new(bytes, 4096)),
            // ruzstd gives nothing before it has a window of it.
            Coding::Zstd => Box::new(zstd::Decoder::new(bytes).unwrap()),
            Coding::Gzip => Box::new(flate2::read::GzDecoder::new(bytes)),
        };
        let (mut all, mut part) = (Vec::new(), [0; 64]);
        while let Ok(read @ 1..) = decoder.read(&mut part) {
            all.extend_from_slice(&part[..read]);
        }
        all
    }

    #[test]
    fn what_was_flushed_can_be_read() {
        for coding in Coding::ALL {
            let mut encoder = Encoder::new(coding, Levels::LIVE).unwrap();
            let (mut said, mut sent) = (Vec::new(), Vec::new());
            for number in 0..20 {
                let event = format!("data: {number}\n\n");
                said.extend(event.as_bytes());
                encoder.write(event.as_bytes()).unwrap();
                sent.extend(encoder.flush().unwrap());
                assert_eq!(decodable(coding, &sent), said, "{coding:?}");
            }
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_memory_of_an_encoder() {
        const MANY: usize = 12;
        let resident = || {
            let text = std::fs::read_to_string("/proc/self/statm").unwrap();
            text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
        };
        let text: String =
            (0..20_000_u32).flat_map(|n| [n.wrapping_mul(0x9e37_79b9).to_string(), "\n".to_owned()]).collect();
        for coding in Coding::ALL {
            let before = resident();
            let encoders = (0..MANY).map(|_| {
                let mut encoder = Encoder::new(coding, Levels::LIVE).unwrap();
                encoder.write(text.as_bytes()).unwrap();
                drop(encoder.take());
                encoder
            });
            let encoders: Vec<Encoder> = encoders.collect();
            let each = resident().saturating_sub(before) / encoders.len();
            let said = Encoder::memory(coding);
            // Pages may be large ones.
            assert!(each <= said + said / 2, "{coding:?}: {each}, not {said}");
        }
    }
}

//! An encoder of content that comes in pieces.

use std::fmt;
use std::io::{self, Write as _};

use flate2::{Compress, FlushCompress, Status};
use zstd::stream::raw::{CParameter, InBuffer, Operation as _, OutBuffer};

use super::{Coding, Levels};

/// A power of two: how far back Brotli and Zstandard look here. What comes in pieces is sent once, and each encoder has
/// this much of it in memory.
const WINDOW: u8 = 17;
/// The same of gzip: the most that its format has.
const GZIP_WINDOW: u8 = 15;

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
///
/// To make an encoder costs memory that the system has to give and clear, at times more than the encoding of a page. One
/// that has finished takes the next content:
///
/// ```
/// # use headstart_coding::{Coding, Encoder, Levels};
/// # fn main() -> std::io::Result<()> {
/// # let mut encoder = Encoder::new(Coding::Zstd, Levels::LIVE)?;
/// for page in ["one", "another"] {
///     encoder.expect(page.len() as u64)?;
///     encoder.write(page.as_bytes())?;
///     let _whole = encoder.finish()?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct Encoder {
    kind: Kind,
    /// What came out and was not taken.
    out: Vec<u8>,
}

enum Kind {
    Br(Brotli),
    Zstd(zstd::stream::raw::Encoder<'static>),
    Gzip(Compress),
}

/// Has its memory while there is content.
struct Brotli {
    quality: i32,
    /// Bytes of the content that begins, if they are known.
    length: Option<u64>,
    writer: Option<Box<brotli::CompressorWriter<Vec<u8>>>>,
}

impl Encoder {
    /// An encoder that nothing was written to; see [`Encoder::memory`] for what it takes.
    ///
    /// # Errors
    ///
    /// If the library fails, as it does without memory.
    pub fn new(coding: Coding, levels: Levels) -> io::Result<Self> {
        let kind = match coding {
            Coding::Br => Kind::Br(Brotli { quality: levels.br.clamp(0, 11), length: None, writer: None }),
            Coding::Zstd => {
                let mut encoder = zstd::stream::raw::Encoder::new(levels.zstd.clamp(1, 19))?;
                encoder.set_parameter(CParameter::WindowLog(WINDOW.into()))?;
                encoder.set_parameter(CParameter::ChecksumFlag(false))?;
                Kind::Zstd(encoder)
            }
            Coding::Gzip => {
                let level = flate2::Compression::new(levels.gzip.clamp(1, 9));
                Kind::Gzip(Compress::new_gzip(level, GZIP_WINDOW))
            }
        };
        Ok(Encoder { kind, out: Vec::new() })
    }

    /// About how many bytes an encoder takes at the levels of [`Levels::LIVE`].
    pub fn memory(coding: Coding) -> usize {
        match coding {
            Coding::Br => 2560 << 10,
            Coding::Zstd => 1536 << 10,
            Coding::Gzip => 384 << 10,
        }
    }

    /// Its coding.
    pub fn coding(&self) -> Coding {
        match &self.kind {
            Kind::Br(_) => Coding::Br,
            Kind::Zstd(_) => Coding::Zstd,
            Kind::Gzip(_) => Coding::Gzip,
        }
    }

    /// Whether it keeps its memory for the next content. Brotli does not: there another encoder is as good.
    pub fn is_reusable(&self) -> bool {
        !matches!(&self.kind, Kind::Br(_))
    }

    /// Says, before anything of a content is written, how long exactly it is. It is denser then, and costs less.
    ///
    /// # Errors
    ///
    /// As [`Encoder::write`]; later, if the content has another length.
    pub fn expect(&mut self, length: u64) -> io::Result<()> {
        match &mut self.kind {
            Kind::Br(brotli) => {
                brotli.length = Some(length);
                return Ok(());
            }
            Kind::Zstd(encoder) => encoder.set_pledged_src_size(Some(length))?,
            Kind::Gzip(_) => {}
        }
        // Text shrinks to a quarter or so.
        self.out.reserve(usize::try_from(length / 4).unwrap_or(0).min(64 << 10));
        Ok(())
    }

    /// Takes more of the content, all of it. Linear in it; the processor is not given away meanwhile.
    ///
    /// # Errors
    ///
    /// If the library fails, which it has no reason to.
    pub fn write(&mut self, content: &[u8]) -> io::Result<()> {
        match &mut self.kind {
            Kind::Br(brotli) => brotli.writer().write_all(content),
            Kind::Zstd(encoder) => {
                let mut input = InBuffer::around(content);
                while input.pos() < content.len() {
                    encoder.run(&mut input, &mut spare(&mut self.out))?;
                }
                Ok(())
            }
            Kind::Gzip(state) => {
                let mut rest = content;
                while !rest.is_empty() {
                    let before = state.total_in();
                    deflate(state, rest, &mut self.out, FlushCompress::None)?;
                    let taken = usize::try_from(state.total_in() - before).unwrap_or(usize::MAX);
                    rest = rest.get(taken..).unwrap_or_default();
                }
                Ok(())
            }
        }
    }

    /// Takes the output since the last call; often empty.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.kind {
            Kind::Br(brotli) => {
                brotli.writer.as_mut().map(|writer| std::mem::take(writer.get_mut())).unwrap_or_default()
            }
            Kind::Zstd(_) | Kind::Gzip(_) => std::mem::take(&mut self.out),
        }
    }

    /// Has all come out that was written, so that the reader can decode it, and takes it. Costs some bytes each time.
    ///
    /// # Errors
    ///
    /// As [`Encoder::write`].
    pub fn flush(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.kind {
            Kind::Br(brotli) => brotli.writer().flush()?,
            Kind::Zstd(encoder) => while encoder.flush(&mut spare(&mut self.out))? > 0 {},
            Kind::Gzip(state) => loop {
                deflate(state, &[], &mut self.out, FlushCompress::Sync)?;
                // There is more as long as it fills what it gets.
                if self.out.len() < self.out.capacity() {
                    break;
                }
            },
        }
        Ok(self.take())
    }

    /// The rest, with which the content ends. What is written next begins another one.
    ///
    /// # Errors
    ///
    /// As [`Encoder::write`]; then the encoder is of no more use.
    pub fn finish(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.kind {
            Kind::Br(brotli) => {
                brotli.writer();
                let writer = brotli.writer.take();
                brotli.length = None;
                return Ok(writer.map(|writer| writer.into_inner()).unwrap_or_default());
            }
            Kind::Zstd(encoder) => while encoder.finish(&mut spare(&mut self.out), true)? > 0 {},
            Kind::Gzip(state) => {
                while deflate(state, &[], &mut self.out, FlushCompress::Finish)? != Status::StreamEnd {}
                state.reset();
            }
        }
        Ok(self.take())
    }
}

impl Brotli {
    /// The writer of this content.
    fn writer(&mut self) -> &mut brotli::CompressorWriter<Vec<u8>> {
        self.writer.get_or_insert_with(|| {
            let length = self.length.unwrap_or(u64::MAX);
            let window = (length.max(2).ilog2() + 1).clamp(11, WINDOW.into());
            let params = brotli::enc::BrotliEncoderParams {
                quality: self.quality,
                lgwin: window.cast_signed(),
                size_hint: self.length.map_or(0, |length| usize::try_from(length).unwrap_or(0)),
                ..Default::default()
            };
            Box::new(brotli::CompressorWriter::with_params(Vec::new(), 4 << 10, &params))
        })
    }
}

/// Room behind what came out, some of it at least.
fn spare(out: &mut Vec<u8>) -> OutBuffer<'_, Vec<u8>> {
    reserve(out);
    let end = out.len();
    OutBuffer::around_pos(out, end)
}

fn reserve(out: &mut Vec<u8>) {
    const LEAST: usize = 64;
    if out.capacity() - out.len() < LEAST {
        out.reserve(4 << 10);
    }
}

fn deflate(state: &mut Compress, content: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> io::Result<Status> {
    reserve(out);
    Ok(state.compress_vec(content, out, flush)?)
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Encoder").field(&self.coding()).finish()
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

    #[test]
    fn what_has_finished_takes_the_next_content_as_if_it_were_new() {
        let pages = ["one two three ".repeat(5000), String::new(), "four ".repeat(90_000), "five".to_owned()];
        for coding in Coding::ALL {
            for expected in [false, true] {
                let coded = |encoder: &mut Encoder, page: &String| {
                    if expected {
                        encoder.expect(page.len() as u64).unwrap();
                    }
                    page.as_bytes().chunks(10_000).for_each(|piece| encoder.write(piece).unwrap());
                    encoder.finish().unwrap()
                };
                let mut kept = Encoder::new(coding, Levels::LIVE).unwrap();
                for page in pages.iter().chain(&pages) {
                    let bytes = coded(&mut kept, page);
                    assert_eq!(bytes, coded(&mut Encoder::new(coding, Levels::LIVE).unwrap(), page), "{coding:?}");
                    assert_eq!(decompress(coding, &bytes), page.as_bytes(), "{coding:?}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_shrink_comes_out_whole() {
        let noise: Vec<u8> =
            (0..300_000_u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 13) as u8 ^ (n >> 9) as u8).collect();
        for coding in Coding::ALL {
            for flushed in [false, true] {
                let mut encoder = Encoder::new(coding, Levels::LIVE).unwrap();
                let mut out = Vec::new();
                for piece in noise.chunks(50_001) {
                    encoder.write(piece).unwrap();
                    out.extend(if flushed { encoder.flush().unwrap() } else { encoder.take() });
                }
                out.extend(encoder.finish().unwrap());
                assert_eq!(decompress(coding, &out), noise, "{coding:?}");
            }
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

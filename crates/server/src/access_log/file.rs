//! Files of access logs, plain or compressed, line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;

/// Longest line that is read, in bytes; longer ones are counted as malformed.
const MAX_LINE: usize = 64 << 10;

/// Calls `each` for every line of a log. A name ending in `.gz` or `.zst` is
/// unpacked; `-` is standard input. `read` is told how many bytes were read from the file.
pub(crate) fn for_each_line(path: &Path, read: impl Fn(u64), mut each: impl FnMut(&str)) -> anyhow::Result<()> {
    let name = || format!("cannot read {}", path.display());
    let extension = path.extension().and_then(|extension| extension.to_str());
    let raw: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path).with_context(name)?),
    };
    let raw = BufReader::new(Counted { inner: raw, read });
    match extension {
        Some("gz") => lines(BufReader::new(flate2::bufread::MultiGzDecoder::new(raw)), &mut each),
        Some("zst") => {
            let frames = ruzstd::decoding::StreamingDecoder::new(raw);
            let frames = frames.map_err(|error| anyhow::anyhow!("{error}")).with_context(name)?;
            lines(BufReader::new(frames), &mut each)
        }
        _ => lines(raw, &mut each),
    }
    .with_context(name)
}

fn lines(mut from: impl BufRead, each: &mut impl FnMut(&str)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = from.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && length == MAX_LINE {
            skip_line(&mut from)?;
        }
        each(String::from_utf8_lossy(line.trim_ascii()).as_ref());
    }
}

/// Passes over the rest of a line, however long.
fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (length, last) = (buffer.len(), buffer.is_empty() || end.is_some());
        from.consume(end.map_or(length, |at| at + 1));
        if last {
            return Ok(());
        }
    }
}

struct Counted<F> {
    inner: Box<dyn Read>,
    read: F,
}

impl<F: Fn(u64)> Read for Counted<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        (self.read)(length as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlong_lines_are_cut_and_the_next_is_whole() {
        let text = format!("{}\nnext\n", "x".repeat(3 * MAX_LINE));
        let mut seen = Vec::new();
        lines(text.as_bytes(), &mut |line: &str| seen.push(line.len())).expect("reading from memory");
        assert_eq!(seen, [MAX_LINE, 4]);
    }
}

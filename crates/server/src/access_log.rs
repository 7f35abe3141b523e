//! Access logs: Common and Combined Log Format, plain or compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;

/// Longest line that is read, in bytes; longer ones are counted as malformed.
const MAX_LINE: usize = 64 << 10;

/// One line of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) address: &'a str,
    /// Unix time in milliseconds.
    pub(crate) time: u64,
    pub(crate) method: &'a str,
    /// The request target as logged.
    pub(crate) target: &'a str,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    /// Empty in Common Log Format and where none was sent.
    pub(crate) referer: &'a str,
    /// Empty in Common Log Format and where none was sent.
    pub(crate) agent: &'a str,
}

/// Reads a line; `None` if it is in neither format. Fields after the user agent are passed over.
pub(crate) fn parse(line: &str) -> Option<Line<'_>> {
    let (address, rest) = line.split_once(' ')?;
    let (_identity_and_user, rest) = rest.split_once('[')?;
    let (time, rest) = rest.split_once(']')?;
    let (request, rest) = quoted(rest)?;
    let (status, rest) = word(rest)?;
    let (bytes, rest) = word(rest)?;
    let (referer, rest) = quoted(rest).unwrap_or(("", rest));
    let (agent, _) = quoted(rest).unwrap_or(("", rest));
    let mut request = request.split(' ');
    Some(Line {
        address,
        time: unix_millis(time)?,
        method: request.next()?,
        target: request.next()?,
        status: status.parse().ok()?,
        bytes: bytes.parse().unwrap_or(0),
        referer: if referer == "-" { "" } else { referer },
        agent: if agent == "-" { "" } else { agent },
    })
}

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

/// The next field in double quotes, where a backslash takes the next character as it is.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((inner.get(..at)?, inner.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    Some(text.split_once(' ').unwrap_or((text, ""))).filter(|(word, _)| !word.is_empty())
}

/// `17/May/2015:10:05:03 +0000` as Unix time in milliseconds; `None` before 1970.
fn unix_millis(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date_time, zone) = text.split_once(' ').unwrap_or((text, "+0000"));
    let mut parts = date_time.split(['/', ':']);
    let mut number = || parts.next()?.parse::<i64>().ok();
    let day = number()?;
    let month = date_time.get(3..6)?;
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month)?.1;
    parts.next()?;
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (year, hour, minute, second) = (number()?, number()?, number()?, number()?);
    let in_range = (1..=31).contains(&day)
        && (1970..=9999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    let offset: i64 = zone.parse().ok().filter(|offset: &i64| offset.abs() <= 1500)?;
    let offset_minutes = offset / 100 * 60 + offset % 100;
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = seconds - offset_minutes * 60;
    in_range.then(|| u64::try_from(seconds).ok()?.checked_mul(1000)).flatten()
}

/// The day with this number since 1 January 1970, as `2015-05-17`.
pub(crate) fn date(day: u64) -> String {
    let mut left = i64::try_from(day.min(3_000_000)).unwrap_or(0);
    let mut year = 1970 + left / 366;
    while days_since_epoch(year + 1, 1, 1) <= left {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| days_since_epoch(year, *month, 1) <= left).unwrap_or(1);
    left -= days_since_epoch(year, month, 1);
    format!("{year:04}-{month:02}-{:02}", left + 1)
}

/// Days from 1 January 1970 in the Gregorian calendar: years begin in March, so that the
/// leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combined_and_common_lines() {
        let combined = parse(
            r#"10.0.0.1 - bob [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 203 "http://x.example/\"q\"" "Agent \"7\"" "extra""#,
        );
        let expected = Line {
            address: "10.0.0.1",
            time: 1_431_857_103_000,
            method: "GET",
            target: "/a?b=c",
            status: 200,
            bytes: 203,
            referer: r#"http://x.example/\"q\""#,
            agent: r#"Agent \"7\""#,
        };
        assert_eq!(combined, Some(expected));
        let common = parse(r#"::1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 304 -"#);
        let common = common.map(|line| (line.address, line.status, line.bytes, line.referer, line.agent));
        assert_eq!(common, Some(("::1", 304, 0, "", "")));
    }

    #[test]
    fn malformed_lines_are_none() {
        for line in [
            "",
            "nonsense",
            r#"1.2.3.4 - - [yesterday] "GET / HTTP/1.1" 200 1"#,
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "\x16\x03" 400 1"#,
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"#,
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 20x 1"#,
            r#"1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#,
            r#"1.2.3.4 - - [99/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#,
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn times_and_zones() {
        for (text, expected) in [
            ("01/Jan/1970:00:00:00 +0000", Some(0)),
            ("29/Feb/2000:12:00:00 +0000", Some(951_825_600_000)),
            ("01/Mar/2000:00:30:00 +0130", Some(951_865_200_000)),
            ("31/Dec/2026:23:59:59 -0500", Some(1_798_779_599_000)),
            ("01/Jan/1970:00:00:00 +0100", None),
            ("1/2", None),
        ] {
            assert_eq!(unix_millis(text), expected, "{text}");
        }
    }

    #[test]
    fn dates_are_days_read_back() {
        for (year, month, day) in [(1970, 1, 1), (2000, 2, 29), (2015, 5, 17), (2024, 12, 31), (2100, 3, 1)] {
            let number = u64::try_from(days_since_epoch(year, month, day)).expect("after 1970");
            assert_eq!(date(number), format!("{year:04}-{month:02}-{day:02}"));
        }
    }

    #[test]
    fn overlong_lines_are_cut_and_the_next_is_whole() {
        let text = format!("{}\nnext\n", "x".repeat(3 * MAX_LINE));
        let mut seen = Vec::new();
        lines(text.as_bytes(), &mut |line: &str| seen.push(line.len())).expect("reading from memory");
        assert_eq!(seen, [MAX_LINE, 4]);
    }
}

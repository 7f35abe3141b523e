//! The samples of `docs/logs.md`, which all say the same request.

use super::{Format, Parsed, Reader};

const PAGE: &str = include_str!("../../../../docs/logs.md");

/// The samples under a heading: name, value of `--format` if there is such a column, lines.
fn samples(after: &str, before: &str) -> Vec<(String, Option<String>, Vec<String>)> {
    let start = PAGE.find(after).expect("the heading");
    let end = PAGE[start..].find(before).map_or(PAGE.len(), |at| start + at);
    let rows = PAGE[start..end]
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`') && !line.contains("--format`"));
    let row = |line: &str| {
        let cells = line.trim_start_matches("| ").trim_end_matches(" |");
        let (name, rest) = cells.split_once(" | ").expect("two cells");
        let (format, sample) = match rest.split_once(" | ") {
            Some((format, sample)) if !format.contains(' ') => (Some(format.trim_matches('`').to_owned()), sample),
            _ => (None, rest),
        };
        let lines = sample.split("<br>").map(|line| line.trim_matches('`').replace('⇥', "\t"));
        (name.to_owned(), format, lines.collect())
    };
    rows.map(row).collect()
}

/// The result of reading the last of the lines.
fn parse(format: Format, lines: &[String]) -> Parsed<'_> {
    let mut reader = Reader::new(format);
    let mut last = Parsed::Nothing;
    for line in lines {
        last = reader.parse(line);
    }
    last
}

#[test]
fn every_sample_says_the_same_request() {
    let formats = samples("## Formats", "## Formats that cannot");
    assert!(formats.len() >= 20, "{formats:#?}");
    for (name, named, lines) in &formats {
        let by_name =
            named.as_deref().map(|name| <Format as clap::ValueEnum>::from_str(name, false).expect("a format"));
        for format in [Some(Format::Auto), by_name].into_iter().flatten() {
            let Parsed::Line(line) = parse(format, lines) else { panic!("{name}: {:?}", parse(format, lines)) };
            let shown = (&*line.address, line.time, &*line.method, &*line.target, line.status, line.bytes);
            assert_eq!(shown, ("192.0.2.1", 1_715_940_303_000, "GET", "/app.css", 200, 512), "{name}");
            let sent = (&*line.referer, line.agent.as_deref());
            assert_eq!(sent, ("https://example.org/", Some("Firefox")), "{name}");
        }
    }
}

#[test]
fn formats_without_referer_are_recognised() {
    let formats = samples("## Formats that cannot", "## What is said");
    assert!(formats.len() >= 7, "{formats:#?}");
    for (name, _, lines) in &formats {
        let parsed = parse(Format::Auto, lines);
        assert!(matches!(parsed, Parsed::WithoutReferer(_)), "{name}: {parsed:?}");
    }
}

#[test]
fn a_format_that_was_named_is_not_another() {
    let json = "{\"time\":\"2024-05-17T10:05:03Z\"}";
    for (format, line) in [
        (Format::Combined, json),
        (Format::Json, "192.0.2.1 - - [17/May/2024:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\""),
        (Format::W3c, json),
        (Format::Auto, "{\"time\":"),
        (Format::Auto, "{}"),
        (Format::Auto, "buy milk"),
    ] {
        assert_eq!(Reader::new(format).parse(line), Parsed::Malformed, "{format:?} {line}");
    }
    assert_eq!(Reader::new(Format::Auto).parse(""), Parsed::Nothing);
    assert_eq!(Reader::new(Format::Auto).parse("#Version: 1.0"), Parsed::Nothing);
}

/// However a line is cut, it is read without a panic, and what was no request does not become one.
#[test]
fn cut_lines_do_no_harm() {
    for (_, _, lines) in samples("## Formats", "## What is said") {
        let (last, first) = lines.split_last().expect("a line");
        for (end, _) in last.char_indices() {
            let cut: Vec<String> = first.iter().cloned().chain([last[..end].to_owned()]).collect();
            let _ = parse(Format::Auto, &cut);
        }
    }
}

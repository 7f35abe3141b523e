//! Lines of words, `"quoted"` and `[bracketed]` fields: the formats of Apache and nginx, with further fields anywhere.

use std::borrow::Cow;
use std::net::IpAddr;

use super::line::{COMMON, ENVOY, HAPROXY, LOAD_BALANCER, Line, Parsed, or_empty, request, without_port};
use super::time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field<'a> {
    Bracketed(&'a str),
    Quoted(&'a str),
    Word(&'a str),
}

/// Fields that are looked at; real formats have fewer than thirty.
const MAX_FIELDS: usize = 64;

/// Reads a line. The first field is a virtual host if the format has one there; otherwise that is found out by looking.
pub(super) fn parse(line: &str, vhost_first: bool) -> Parsed<'_> {
    let fields: Vec<Field<'_>> = Fields(line).take(MAX_FIELDS).collect();
    if let Some(lacking) = of_a_balancer(&fields) {
        return lacking;
    }
    read(&fields, vhost_first).unwrap_or(Parsed::Malformed)
}

/// Formats without brackets, or with other things in them.
fn of_a_balancer<'a>(fields: &[Field<'_>]) -> Option<Parsed<'a>> {
    let timed = |field: Option<&Field<'_>>| matches!(field, Some(Field::Word(text)) if time::rfc3339(text).is_some());
    match fields {
        [Field::Bracketed(text), Field::Quoted(_), ..] if time::rfc3339(text).is_some() => {
            Some(Parsed::WithoutReferer(&ENVOY))
        }
        [Field::Word("http" | "https" | "h2" | "grpcs" | "ws" | "wss"), rest @ ..] if timed(rest.first()) => {
            Some(Parsed::WithoutReferer(&LOAD_BALANCER))
        }
        [first, Field::Word(_), Field::Word(client), Field::Word(_), Field::Word(seconds), ..]
            if timed(Some(first)) && client.contains(':') && seconds.parse::<f32>().is_ok() =>
        {
            Some(Parsed::WithoutReferer(&LOAD_BALANCER))
        }
        _ => None,
    }
}

fn read<'a>(fields: &[Field<'a>], vhost_first: bool) -> Option<Parsed<'a>> {
    let (when, time) = fields.iter().enumerate().find_map(|(at, field)| match field {
        Field::Bracketed(text) => Some((at, time::any(text)?)),
        _ => None,
    })?;
    let (asked, (method, target)) = fields.iter().enumerate().find_map(|(at, field)| match field {
        Field::Quoted(text) => Some((at, request(text)?)),
        _ => None,
    })?;
    let after = fields.get(asked + 1..)?;
    let Some((at, status)) = after.iter().enumerate().find_map(|(at, field)| Some((at, status(field)?))) else {
        // HAProxy writes the request last, and counts of connections before it.
        let before = fields.get(when + 1..asked)?;
        let counts = before.iter().any(|field| matches!(field, Field::Word(word) if word.matches('/').count() == 4));
        return Some(if counts { Parsed::WithoutReferer(&HAPROXY) } else { Parsed::Malformed });
    };
    let rest = after.get(at + 1..)?;
    let bytes = rest.iter().find_map(|field| match field {
        Field::Word(word) => Some(word.parse().unwrap_or(0)),
        _ => None,
    });
    let mut quoted = rest.iter().filter_map(|field| match field {
        Field::Quoted(text) => Some(*text),
        _ => None,
    });
    let texts: Vec<&str> = quoted.by_ref().take(8).collect();
    // A host may stand before the Referer, which is an address or nothing.
    let referer = texts.iter().position(|text| is_referer(text));
    let (Some(referer), true) = (referer, texts.len() >= 2 || texts.first().is_some_and(|text| text.contains("://")))
    else {
        return Some(if texts.len() < 2 { Parsed::WithoutReferer(&COMMON) } else { Parsed::Malformed });
    };
    let (address, host) = who(fields.get(..when)?, vhost_first)?;
    Some(Parsed::Line(Line {
        address: Cow::Borrowed(address),
        time,
        method: Cow::Borrowed(method),
        target: Cow::Borrowed(target),
        status,
        bytes: bytes.unwrap_or(0),
        host: host.map(Cow::Borrowed),
        referer: Cow::Borrowed(or_empty(texts.get(referer).copied().unwrap_or_default())),
        agent: texts.get(referer + 1).map(|agent| Cow::Borrowed(or_empty(agent))),
    }))
}

fn status(field: &Field<'_>) -> Option<u16> {
    match field {
        Field::Word(word) if word.len() == 3 => word.parse().ok().filter(|status| (100..=999).contains(status)),
        _ => None,
    }
}

fn is_referer(text: &str) -> bool {
    matches!(text, "" | "-") || text.contains("://") || text.starts_with("about:")
}

/// Client and virtual host, from the fields before the time. The client is the first address without port; else the
/// first with one; else the first word, for servers that look names up.
fn who<'a>(fields: &[Field<'a>], vhost_first: bool) -> Option<(&'a str, Option<&'a str>)> {
    let words: Vec<&str> = fields
        .iter()
        .filter_map(|field| match field {
            Field::Word(word) | Field::Quoted(word) => Some(word.trim_end_matches(',')),
            Field::Bracketed(_) => None,
        })
        .collect();
    if vhost_first {
        return Some((words.get(1)?, Some(without_port(words.first()?))));
    }
    let plain = words.iter().position(|word| word.parse::<IpAddr>().is_ok());
    let with_port = || words.iter().position(|word| without_port(word).parse::<IpAddr>().is_ok());
    let client = plain.or_else(with_port).unwrap_or(0);
    let address = without_port_of_address(words.get(client)?);
    let host = words.first().filter(|_| client == 1).map(|word| without_port(word)).filter(|host| !host.is_empty());
    Some((address, host.filter(|host| *host != "-")))
}

fn without_port_of_address(word: &str) -> &str {
    if word.parse::<IpAddr>().is_ok() { word } else { without_port(word) }
}

/// The fields of a line. A backslash in quotes takes the next character as it is.
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let text = self.0.trim_start();
        let (field, rest) = match text.bytes().next()? {
            b'"' => {
                let (inner, rest) = quoted(text.get(1..)?)?;
                (Field::Quoted(inner), rest)
            }
            b'[' if text.contains(']') => {
                let (inner, rest) = text.get(1..)?.split_once(']')?;
                // An address in brackets, with its port.
                if inner.contains(':') && rest.starts_with(':') && inner.parse::<IpAddr>().is_ok() {
                    let end = text.find(' ').unwrap_or(text.len());
                    let (word, rest) = text.split_at(end);
                    (Field::Word(word), rest)
                } else {
                    (Field::Bracketed(inner), rest)
                }
            }
            _ => {
                let end = text.find([' ', '\t']).unwrap_or(text.len());
                let (word, rest) = text.split_at(end);
                (Field::Word(word), rest)
            }
        };
        self.0 = rest;
        Some(field)
    }
}

/// The rest of a quoted field, and what follows it.
fn quoted(inner: &str) -> Option<(&str, &str)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        match parse(text, false) {
            Parsed::Line(line) => line,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn combined() {
        let found = line(
            r#"10.0.0.1 - bob [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 203 "http://x.example/\"q\"" "Agent \"7\"" "extra""#,
        );
        let expected = Line {
            address: "10.0.0.1".into(),
            time: 1_431_857_103_000,
            method: "GET".into(),
            target: "/a?b=c".into(),
            status: 200,
            bytes: 203,
            host: None,
            referer: r#"http://x.example/\"q\""#.into(),
            agent: Some(r#"Agent \"7\""#.into()),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_host_may_stand_anywhere() {
        let tail = r#""GET /a HTTP/1.1" 200 203 "-" "Firefox""#;
        let time = "[17/May/2015:10:05:03 +0000]";
        for (text, host) in [
            (format!("www.example.org:443 192.0.2.1 - - {time} {tail}"), Some("www.example.org")),
            (format!("198.51.100.1:443 192.0.2.1 - - {time} {tail}"), Some("198.51.100.1")),
            (format!("www.example.org 192.0.2.1 - - {time} {tail}"), Some("www.example.org")),
            (format!(r#"192.0.2.1 - - {time} "www.example.org" {tail}"#), None),
            (format!("192.0.2.1 www.example.org - {time} {tail}"), None),
            (format!("192.0.2.1, 10.0.0.7 - - {time} {tail}"), None),
            (format!("192.0.2.1:52100 - - {time} {tail}"), None),
            (format!(r#"192.0.2.1 - - {time} "GET /a HTTP/1.1" 200 203 "www.example.org" "-" "Firefox""#), None),
            (format!(r#"192.0.2.1 - - {time} "GET /a HTTP/1.1" 200 203 www.example.org "-" "Firefox" 0.002"#), None),
            (format!(r#"192.0.2.1 - - {time} "GET /a HTTP/1.1" www.example.org 200 203 "-" "Firefox" "-""#), None),
        ] {
            let found = line(&text);
            let shown = (&*found.address, &*found.target, found.status, found.bytes, found.agent.as_deref());
            assert_eq!(shown, ("192.0.2.1", "/a", 200, 203, Some("Firefox")), "{text}");
            assert_eq!(found.host.as_deref(), host, "{text}");
        }
    }

    #[test]
    fn malformed_lines() {
        for line in [
            "",
            "nonsense",
            r#"1.2.3.4 - - [yesterday] "GET / HTTP/1.1" 200 1 "-" "x""#,
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "\x16\x03" 400 1 "-" "x""#,
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"#,
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 20x 1 "-" "x""#,
            r#"1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x""#,
            r#"[17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x""#,
        ] {
            assert_eq!(parse(line, false), Parsed::Malformed, "{line}");
        }
    }
}

//! Lines of a log in any of the formats that are known, by looking or as it was said.

use std::borrow::Cow;

use clap::ValueEnum;
use serde_json::Value;

use super::line::{Line, Parsed};
use super::w3c::Columns;
use super::{json, prefix, text};

/// The format of the lines of a log, behind the prefix of a collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Format {
    /// Found out line by line
    #[default]
    Auto,
    /// Combined Log Format, with further fields anywhere
    Combined,
    /// The same behind the name of the virtual host
    VhostCombined,
    /// One JSON object a line: of nginx, Caddy, Traefik, Envoy, Cloudflare Logpush and our own log
    Json,
    /// W3C Extended Log Format with `#Fields:`, of CloudFront and IIS
    W3c,
}

impl Format {
    /// The expected form of a line, for messages.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Auto => {
                "the Combined Log Format of nginx and Apache, JSON (nginx, Caddy, Traefik, Envoy, Cloudflare, headstart) or \
                 W3C Extended Log Format with #Fields:"
            }
            Self::Combined => {
                "ADDRESS - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 512 \"REFERER\" \"USER AGENT\""
            }
            Self::VhostCombined => {
                "HOST:PORT ADDRESS - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 512 \"REFERER\" \"USER AGENT\""
            }
            Self::Json => "a JSON object with time, client address, method, path, status and referer",
            Self::W3c => "the columns that a line `#Fields: date time c-ip cs-method cs-uri-stem ...` names",
        }
    }
}

/// Reads the lines of one file, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    format: Format,
    columns: Columns,
}

impl Reader {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, columns: Columns::default() }
    }

    /// Reads a line.
    pub(crate) fn parse<'a>(&mut self, line: &'a str) -> Parsed<'a> {
        self.unwrapped(line, 0)
    }

    /// Objects of Docker and journald hold the line as text, which may have a prefix of its own.
    fn unwrapped<'a>(&mut self, line: &'a str, depth: usize) -> Parsed<'a> {
        let line = line.trim();
        if line.starts_with('#') {
            self.columns.directive(line);
            return Parsed::Nothing;
        }
        if self.columns.are_known() && matches!(self.format, Format::Auto | Format::W3c) {
            return self.columns.parse(line);
        }
        let line = prefix::strip(line).trim();
        if line.is_empty() {
            return Parsed::Nothing;
        }
        if line.starts_with('#') {
            self.columns.directive(line);
            return Parsed::Nothing;
        }
        if line.starts_with('{') {
            return self.object(line, depth);
        }
        match self.format {
            Format::Json | Format::W3c => Parsed::Malformed,
            format => text::parse(line, format == Format::VhostCombined),
        }
    }

    fn object<'a>(&mut self, line: &'a str, depth: usize) -> Parsed<'a> {
        let Ok(Value::Object(object)) = serde_json::from_str(line) else { return Parsed::Malformed };
        let inner = ["log", "MESSAGE"].into_iter().find_map(|key| object.get(key).and_then(Value::as_str));
        if let (Some(inner), true) = (inner, depth < 2) {
            return owned(self.unwrapped(inner, depth + 1));
        }
        match self.format {
            Format::Auto | Format::Json => json::parse(&object),
            _ => Parsed::Malformed,
        }
    }
}

fn owned<'a>(parsed: Parsed<'_>) -> Parsed<'a> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match parsed {
        Parsed::Line(line) => Parsed::Line(Line {
            address: own(line.address),
            time: line.time,
            method: own(line.method),
            target: own(line.target),
            status: line.status,
            bytes: line.bytes,
            host: line.host.map(own),
            referer: own(line.referer),
            agent: line.agent.map(own),
        }),
        Parsed::WithoutReferer(lacking) => Parsed::WithoutReferer(lacking),
        Parsed::Nothing => Parsed::Nothing,
        Parsed::Malformed => Parsed::Malformed,
    }
}

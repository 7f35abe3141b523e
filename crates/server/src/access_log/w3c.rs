//! W3C Extended Log Format: `#Fields:` names the columns, as CloudFront and IIS write them.

use std::borrow::Cow;

use super::line::{Line, Parsed, W3C, or_empty};
use super::time;

/// The columns of a file, as its last `#Fields:` names them.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns(Vec<String>);

impl Columns {
    /// Takes in a line that begins with `#`. What is no `#Fields:` is passed over.
    pub(super) fn directive(&mut self, line: &str) {
        if let Some(fields) = line.strip_prefix("#Fields:") {
            self.0 = fields.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        }
    }

    /// Whether columns were named.
    pub(super) fn are_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// Reads a line of values. CloudFront puts tabs between them and encodes spaces; IIS puts spaces, and writes `+` for
    /// a space.
    pub(super) fn parse<'a>(&self, line: &'a str) -> Parsed<'a> {
        let tabs = line.contains('\t');
        let values: Vec<&str> = if tabs { line.split('\t').collect() } else { line.split(' ').collect() };
        if values.len() != self.0.len() {
            return Parsed::Malformed;
        }
        let find = |names: &[&str]| {
            let at = names.iter().find_map(|name| self.0.iter().position(|column| column == name))?;
            values.get(at).copied()
        };
        let Some(referer) = find(&["cs(referer)", "cs-referer", "cs(referrer)"]) else {
            return Parsed::WithoutReferer(&W3C);
        };
        Self::line(find, referer, tabs).map_or(Parsed::Malformed, Parsed::Line)
    }

    fn line<'a>(find: impl Fn(&[&str]) -> Option<&'a str>, referer: &'a str, tabs: bool) -> Option<Line<'a>> {
        let time = match (find(&["date"]), find(&["time"])) {
            (Some(date), Some(clock)) => time::rfc3339(&format!("{date}T{clock}Z"))?,
            _ => time::any(find(&["timestamp", "time-taken-start", "x-timestamp"])?)?,
        };
        let stem = find(&["cs-uri-stem", "cs-uri"])?;
        let target = match find(&["cs-uri-query"]).map(or_empty) {
            Some(query) if !query.is_empty() => Cow::Owned(format!("{stem}?{query}")),
            _ => Cow::Borrowed(stem),
        };
        let agent = find(&["cs(user-agent)", "cs-user-agent"]).map(or_empty);
        let spaces = |text: &'a str| if tabs { decoded(text) } else { Cow::Owned(text.replace('+', " ")) };
        Some(Line {
            address: Cow::Borrowed(find(&["c-ip", "x-forwarded-for"])?),
            time,
            method: Cow::Borrowed(find(&["cs-method"])?),
            target,
            status: find(&["sc-status"])?.parse().ok()?,
            bytes: find(&["sc-bytes"]).and_then(|bytes| bytes.parse().ok()).unwrap_or(0),
            host: find(&["x-host-header", "cs(host)", "cs-host"])
                .map(or_empty)
                .filter(|host| !host.is_empty())
                .map(Cow::Borrowed),
            referer: if tabs { decoded(or_empty(referer)) } else { Cow::Borrowed(or_empty(referer)) },
            agent: agent.map(spaces),
        })
    }
}

/// CloudFront encodes what is no printable ASCII, and some characters twice.
fn decoded(text: &str) -> Cow<'_, str> {
    let once = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    if once.contains("%20") {
        return Cow::Owned(percent_encoding::percent_decode_str(&once).decode_utf8_lossy().into_owned());
    }
    once
}

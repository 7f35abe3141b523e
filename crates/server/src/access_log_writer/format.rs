//! How one exchange becomes one line.

use std::io::Write as _;

use headstart::DecidedCounts;
use http::HeaderValue;
use serde::Serialize;

use super::timestamp::Timestamps;
use crate::record::Record;

/// The shape of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Combined Log Format, as Apache and nginx write it; `headstart learn` and most other programs read it.
    #[default]
    Combined,
    /// One JSON object a line.
    Json,
}

/// Makes lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    timestamps: Timestamps,
}

impl Lines {
    /// Appends the line of a record.
    pub(super) fn add(&mut self, format: Format, record: &Record, to: &mut Vec<u8>) {
        match format {
            Format::Combined => self.combined(record, to),
            Format::Json => self.json(record, to),
        }
        to.push(b'\n');
    }

    // Writing to a vector does not fail.
    fn combined(&mut self, record: &Record, to: &mut Vec<u8>) {
        match record.client {
            Some(client) => drop(write!(to, "{client}")),
            None => to.push(b'-'),
        }
        let request = &record.request;
        let _ = write!(to, " - - [{}] \"", self.timestamps.clf(record.time));
        escape(request.method.as_str().as_bytes(), to);
        to.push(b' ');
        escape(request.target().as_bytes(), to);
        let _ = write!(to, " {}\" {} {} ", request.protocol(), record.status.as_u16(), record.bytes);
        quote(request.referer.as_ref(), to);
        to.push(b' ');
        quote(request.agent.as_ref(), to);
    }

    fn json(&mut self, record: &Record, to: &mut Vec<u8>) {
        let request = &record.request;
        let text = |field: &Option<HeaderValue>| field.as_ref().map(|value| lossy(value.as_bytes()));
        let line = JsonLine {
            time: self.timestamps.rfc3339(record.time),
            client: record.client,
            host: lossy(request.host()),
            method: request.method.as_str(),
            path: request.target(),
            protocol: request.protocol(),
            status: record.status.as_u16(),
            bytes: record.bytes,
            duration_ms: (record.duration.as_secs_f64() * 1e6).round() / 1e3,
            complete: record.complete,
            referer: text(&request.referer),
            agent: text(&request.agent),
            pushed: record.pushed,
            early: record.early.map(JsonEarly::from),
            upstream: record.upstream.as_deref(),
        };
        // Every value of the line is one that JSON has.
        let _ = serde_json::to_writer(to, &line);
    }
}

#[derive(Serialize)]
struct JsonLine<'a> {
    time: String,
    client: Option<std::net::IpAddr>,
    host: String,
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    status: u16,
    bytes: u64,
    duration_ms: f64,
    complete: bool,
    referer: Option<String>,
    agent: Option<String>,
    pushed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    early: Option<JsonEarly>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonEarly {
    pushed: u32,
    hinted: u32,
    linked: u32,
    held: u32,
    held_out: bool,
}

impl From<DecidedCounts> for JsonEarly {
    fn from(early: DecidedCounts) -> Self {
        let DecidedCounts { pushed, hinted, linked, held, held_out, .. } = early;
        Self { pushed, hinted, linked, held, held_out }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn quote(field: Option<&HeaderValue>, to: &mut Vec<u8>) {
    to.push(b'"');
    match field {
        Some(value) => escape(value.as_bytes(), to),
        None => to.push(b'-'),
    }
    to.push(b'"');
}

/// Bytes that would end a field or a line, or are no printable ASCII, are written as `\xHH`, as nginx does.
fn escape(bytes: &[u8], to: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f..=0xff => drop(write!(to, "\\x{byte:02X}")),
            _ => to.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::{Request, StatusCode, header};

    use super::*;
    use crate::record::Noted;

    fn record(target: &str, agent: &[u8]) -> Record {
        let request = Request::get(target)
            .version(http::Version::HTTP_2)
            .header(header::REFERER, "https://a.example/")
            .header(header::USER_AGENT, HeaderValue::from_bytes(agent).unwrap())
            .body(())
            .unwrap();
        Record {
            time: UNIX_EPOCH + Duration::from_millis(1_795_377_179_042),
            client: Some([192, 0, 2, 1].into()),
            request: Noted::new(&request.into_parts().0),
            status: StatusCode::OK,
            bytes: 5,
            duration: Duration::from_micros(1500),
            complete: true,
            early: Some(DecidedCounts::default()),
            pushed: false,
            upstream: None,
        }
    }

    fn line(format: Format, record: &Record) -> String {
        let mut bytes = Vec::new();
        Lines::default().add(format, record, &mut bytes);
        let line = String::from_utf8(bytes).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        line.trim_end().to_owned()
    }

    #[test]
    fn combined_is_what_others_read() {
        let line = line(Format::Combined, &record("https://a.example/p?q=1", b"Fire\"fox\\ \xff"));
        assert_eq!(
            line,
            "192.0.2.1 - - [22/Nov/2026:19:52:59 +0000] \"GET /p?q=1 HTTP/2.0\" 200 5 \"https://a.example/\" \
             \"Fire\\x22fox\\x5C \\xFF\""
        );
        let mut reader = crate::access_log::Reader::default();
        let crate::access_log::Parsed::Line(read) = reader.parse(&line) else { panic!("our own reader reads it") };
        assert_eq!((&*read.target, read.status, read.bytes, read.time), ("/p?q=1", 200, 5, 1_795_377_179_000));
    }

    #[test]
    fn json_has_every_field() {
        let line = line(Format::Json, &record("https://a.example/p?q=1", b"Fire\"fox"));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "time": "2026-11-22T19:52:59.042Z", "client": "192.0.2.1", "host": "a.example", "method": "GET",
            "path": "/p?q=1", "protocol": "HTTP/2.0", "status": 200, "bytes": 5, "duration_ms": 1.5, "complete": true,
            "referer": "https://a.example/", "agent": "Fire\"fox", "pushed": false,
            "early": {"pushed": 0, "hinted": 0, "linked": 0, "held": 0, "held_out": false},
        });
        assert_eq!(value, expected);
    }
}

//! Lines that are JSON objects: of nginx, Caddy, Traefik, Envoy, Cloudflare Logpush and our own log.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::line::{JSON, Line, Parsed, or_empty, request, without_port};
use super::time;

/// Names that a field goes by; a dot leads into an object, and a list stands for its first item. Compared without regard
/// to case, `-` and `_` being one.
const TIME: &[&str] = &[
    "time",
    "ts",
    "@timestamp",
    "timestamp",
    "time_iso8601",
    "time_local",
    "msec",
    "StartUTC",
    "StartLocal",
    "start_time",
    "EdgeStartTimestamp",
    "datetime",
    "date",
];
const ADDRESS: &[&str] = &[
    "client",
    "request.client_ip",
    "request.remote_ip",
    "request.remote_addr",
    "remote_addr",
    "remote_ip",
    "client_ip",
    "ClientHost",
    "ClientIP",
    "ClientAddr",
    "downstream_remote_address",
    "clientip",
    "ip",
    "x_forwarded_for",
    "remote",
];
const METHOD: &[&str] =
    &["method", "request.method", "request_method", "RequestMethod", "ClientRequestMethod", "verb", "http_method"];
const TARGET: &[&str] = &[
    "path",
    "request.uri",
    "request_uri",
    "RequestPath",
    "ClientRequestURI",
    "uri",
    "url",
    "target",
    "request_path",
    "ClientRequestPath",
];
const REQUEST: &[&str] = &["request", "request_line"];
const STATUS: &[&str] =
    &["status", "response_code", "DownstreamStatus", "EdgeResponseStatus", "OriginStatus", "status_code", "code"];
const BYTES: &[&str] = &[
    "bytes",
    "size",
    "body_bytes_sent",
    "bytes_sent",
    "DownstreamContentSize",
    "EdgeResponseBytes",
    "response_size",
    "response_bytes",
];
const HOST: &[&str] = &[
    "host",
    "request.host",
    "http_host",
    "RequestHost",
    "authority",
    "ClientRequestHost",
    "server_name",
    "vhost",
    ":authority",
];
const REFERER: &[&str] = &[
    "referer",
    "referrer",
    "http_referer",
    "http_referrer",
    "request.headers.Referer",
    "request_Referer",
    "ClientRequestReferer",
    "RequestReferer",
    "headers.referer",
];
const AGENT: &[&str] = &[
    "agent",
    "user_agent",
    "http_user_agent",
    "request.headers.User-Agent",
    "request_User-Agent",
    "ClientRequestUserAgent",
    "useragent",
    "headers.user-agent",
];

/// Reads an object.
pub(super) fn parse<'a>(object: &Map<String, Value>) -> Parsed<'a> {
    let request_line = text(object, REQUEST).and_then(|text| {
        let (method, target) = request(&text)?;
        Some((method.to_owned(), target.to_owned()))
    });
    let (line_method, line_target) = request_line.unzip();
    let found = (
        text(object, TIME).and_then(|text| time::any(&text)),
        text(object, ADDRESS),
        line_method.or_else(|| text(object, METHOD)),
        line_target.or_else(|| text(object, TARGET)),
        text(object, STATUS).and_then(|text| text.parse::<u16>().ok()),
    );
    let (Some(time), Some(address), Some(method), Some(target), Some(status)) = found else { return Parsed::Malformed };
    // Caddy names a header only where one was sent; it has the others.
    let headers_are_logged = find(object, "request.headers").is_some();
    let referer = text(object, REFERER);
    if referer.is_none() && !REFERER.iter().any(|name| find(object, name).is_some()) && !headers_are_logged {
        return Parsed::WithoutReferer(&JSON);
    }
    let agent = text(object, AGENT).or_else(|| {
        let named = AGENT.iter().any(|name| find(object, name).is_some());
        (headers_are_logged || named).then(String::new)
    });
    let address = address.split(',').next().unwrap_or_default().trim();
    Parsed::Line(Line {
        address: Cow::Owned(
            if address.parse::<std::net::IpAddr>().is_ok() { address } else { without_port(address) }.into(),
        ),
        time,
        method: Cow::Owned(method),
        target: Cow::Owned(target),
        status,
        bytes: text(object, BYTES).and_then(|text| text.parse().ok()).unwrap_or(0),
        host: text(object, HOST).map(|host| Cow::Owned(without_port(&host).to_owned())),
        referer: Cow::Owned(or_empty(&referer.unwrap_or_default()).to_owned()),
        agent: agent.map(|agent| Cow::Owned(or_empty(&agent).to_owned())),
    })
}

/// The first of these fields that is text or a number.
fn text(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match find(object, name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => items.first()?.as_str().map(str::to_owned),
        _ => None,
    })
}

fn find<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let value =
        object.get(key).or_else(|| object.iter().find(|(known, _)| alike(known, key)).map(|(_, value)| value))?;
    match rest {
        Some(rest) => find(value.as_object()?, rest),
        None => Some(value),
    }
}

fn alike(one: &str, other: &str) -> bool {
    let byte = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| byte(a) == byte(b))
}

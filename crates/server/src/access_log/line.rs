//! The content of a line of an access log, whatever its format.

use std::borrow::Cow;

/// One request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) address: Cow<'a, str>,
    /// Unix time in milliseconds.
    pub(crate) time: u64,
    pub(crate) method: Cow<'a, str>,
    /// The request target as logged.
    pub(crate) target: Cow<'a, str>,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    /// The name that was asked for, without port, if the format says it where it can be recognised.
    pub(crate) host: Option<Cow<'a, str>>,
    /// Empty where none was sent.
    pub(crate) referer: Cow<'a, str>,
    /// Empty where none was sent; `None` where the format has no such field.
    pub(crate) agent: Option<Cow<'a, str>>,
}

/// The result of reading a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    Line(Line<'a>),
    /// The line is in a format that carries no Referer: nothing can be learned of it.
    WithoutReferer(&'static Lacking),
    /// A comment, or nothing.
    Nothing,
    Malformed,
}

/// A format that carries no Referer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lacking {
    pub(crate) name: &'static str,
    /// The field to log in its place.
    pub(crate) remedy: &'static str,
}

pub(super) const COMMON: Lacking = Lacking {
    name: "the Common Log Format",
    remedy: "log in the Combined Log Format (nginx: `access_log FILE combined;`, Apache: `CustomLog FILE combined`)",
};
pub(super) const HAPROXY: Lacking = Lacking {
    name: "HAProxy's HTTP log format",
    remedy: "log in the Combined Log Format: `capture request header Referer len 512`, `capture request header User-Agent \
             len 256`, and a `log-format` with %[capture.req.hdr(0)] and %[capture.req.hdr(1)]",
};
pub(super) const ENVOY: Lacking = Lacking {
    name: "Envoy's default format",
    remedy: "log as JSON (`json_format`) with `\"referer\": \"%REQ(REFERER)%\"` beside the fields of the default",
};
pub(super) const LOAD_BALANCER: Lacking = Lacking {
    name: "the format of AWS load balancers",
    remedy: "they cannot log Referer: take the log of the server behind them, or of CloudFront",
};
pub(super) const JSON: Lacking = Lacking {
    name: "JSON without a field for Referer",
    remedy: "log it as `referer` (nginx: $http_referer; Traefik: `accesslog.fields.headers.names.Referer=keep`; Caddy logs it \
             by itself)",
};
pub(super) const W3C: Lacking =
    Lacking { name: "W3C Extended Log Format without cs(Referer)", remedy: "add cs(Referer) to the logged fields" };

/// `-` stands for nothing.
pub(super) fn or_empty(text: &str) -> &str {
    if text == "-" { "" } else { text }
}

/// An address without port and brackets.
pub(super) fn without_port(address: &str) -> &str {
    if let Some(rest) = address.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match address.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => address,
    }
}

/// Method and target of a request line.
pub(super) fn request(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let (method, target) = (words.next()?, words.next()?);
    let is_method = method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-' || byte == b'_');
    let version = words.next().is_none_or(|version| version.starts_with("HTTP/"));
    (is_method && version && words.next().is_none()).then_some((method, target))
}

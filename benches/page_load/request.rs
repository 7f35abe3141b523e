//! Requests as Chromium 156 makes them: which fields, and above all which `priority`.
//!
//! Taken down from that browser, which asked a server for a page of this shape, once with a 103 and once without.

use http::Request;
use http::header::{self, HeaderValue};

use super::site::Kind;

const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/// Why something is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A 103 named it.
    Hinted,
    /// A 103 named it with `fetchpriority=low`.
    HintedLow,
    /// The page, or something that it needs, named it.
    Needed,
}

/// A request for `path`, with the urgency that it has if no hint named it, where that is known. `referrer` is the path of
/// what named it.
pub(crate) fn request(
    authority: &str,
    path: &str,
    (kind, urgency): (Kind, Option<u8>),
    why: Why,
    referrer: Option<&str>,
) -> Request<()> {
    let (accept, destination) = match kind {
        Kind::AsyncScript | Kind::Module => ("*/*", "script"),
        Kind::Data => ("*/*", "empty"),
        Kind::Font => ("*/*", "font"),
        Kind::Image => ("image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image"),
        Kind::Page => ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "document"),
        Kind::Style => ("text/css,*/*;q=0.1", "style"),
    };
    let mode = match kind {
        Kind::Page => "navigate",
        Kind::Data | Kind::Font | Kind::Module => "cors",
        Kind::AsyncScript | Kind::Image | Kind::Style => "no-cors",
    };
    let mut request = Request::builder()
        .uri(format!("https://{authority}{path}"))
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT, accept)
        .header(header::ACCEPT_ENCODING, "gzip")
        .header("sec-fetch-site", if kind == Kind::Page { "none" } else { "same-origin" })
        .header("sec-fetch-mode", mode)
        .header("sec-fetch-dest", destination);
    if kind == Kind::Page {
        request = request.header("sec-fetch-user", "?1").header("upgrade-insecure-requests", "1");
    }
    let priority = match (urgency, why) {
        (Some(urgency), Why::Needed) => own_priority(kind, urgency),
        _ => priority(kind, why),
    };
    if let Some(priority) = priority {
        request = request.header("priority", priority);
    }
    if let Some(referrer) = referrer {
        request = request.header(header::REFERER, format!("https://{authority}{referrer}"));
    }
    if mode == "cors" && why == Why::Needed {
        request = request.header(header::ORIGIN, format!("https://{authority}"));
    }
    let mut request = request.body(()).expect("fields are well-formed");
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
    request
}

/// What a browser that has found it by itself says, which leaves out the default, `u=3`.
fn own_priority(kind: Kind, urgency: u8) -> Option<&'static str> {
    const PLAIN: [&str; 8] = ["u=0", "u=1", "u=2", "u=3", "u=4", "u=5", "u=6", "u=7"];
    const IMAGE: [&str; 8] = ["u=0, i", "u=1, i", "u=2, i", "i", "u=4, i", "u=5, i", "u=6, i", "u=7, i"];
    match kind {
        Kind::Image => IMAGE.get(usize::from(urgency)).copied(),
        _ => PLAIN.get(usize::from(urgency)).copied().filter(|_| urgency != 3),
    }
}

/// Chromium leaves out what is the default, `u=3`; what a 103 names is incremental.
fn priority(kind: Kind, why: Why) -> Option<&'static str> {
    match (kind, why) {
        (Kind::Page, _) | (Kind::Style, Why::Hinted) => Some("u=0, i"),
        (Kind::Style | Kind::Font, Why::Needed) => Some("u=0"),
        (Kind::Module, Why::Needed) => Some("u=1"),
        (Kind::Font | Kind::Module | Kind::AsyncScript, Why::Hinted) | (Kind::Data, Why::Needed) => Some("u=1, i"),
        // `fetchpriority=low` makes it Low, which is the default.
        (_, Why::HintedLow) | (Kind::Data | Kind::Image, Why::Hinted) => Some("i"),
        // The first images of a page have u=2; which those are depends on the layout.
        (Kind::Image, Why::Needed) => Some("u=2, i"),
        (Kind::AsyncScript, Why::Needed) => None,
    }
}

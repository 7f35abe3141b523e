//! What a response head says: whether it may be learned from, pushed, or named in a hint.

use headstart_learn::{Asset, Destination, Freshness};
use http::header::{self, HeaderMap, HeaderName};
use http::{StatusCode, response};

use crate::caching::Caching;
use crate::identity::Identities;
use crate::unlearned::Unlearned;

/// Request fields on which a response may depend and still be pushed: those that are copied into a promise, and
/// `Origin`, which does not differ on one's own site.
const HARMLESS_VARY: [HeaderName; 4] =
    [header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::ORIGIN, header::USER_AGENT];

/// Whether this is a page that was shown: 200 and HTML.
pub(crate) fn is_page(head: &response::Parts) -> bool {
    head.status == StatusCode::OK && matches!(media_type(&head.headers), Some("text/html" | "application/xhtml+xml"))
}

/// Why an asset's response may not be the same for everyone, so that others must not hear of it; `None` if it sets no
/// cookie, is neither `private` nor `no-store`, and varies by nothing that differs between clients.
fn not_public(headers: &HeaderMap, caching: Caching) -> Option<Unlearned> {
    let harmless = |name: &str| {
        let name = name.trim();
        name.is_empty() || HARMLESS_VARY.iter().any(|harmless| name.eq_ignore_ascii_case(harmless.as_str()))
    };
    let mut vary = headers.get_all(header::VARY).iter();
    if headers.contains_key(header::SET_COOKIE) {
        Some(Unlearned::SetCookie)
    } else if caching.private {
        Some(Unlearned::Private)
    } else if caching.no_store {
        Some(Unlearned::NoStore)
    } else if vary.all(|vary| vary.to_str().is_ok_and(|vary| vary.split(',').all(harmless))) {
        None
    } else {
        Some(Unlearned::Vary)
    }
}

/// An asset as its response describes it, or why it may not be learned. Its destination is that of its media type
/// and not that of the request: what one client says must not change what all others are told.
pub(crate) fn asset<'a>(
    identities: &Identities,
    path: &'a str,
    cors: bool,
    headers: &HeaderMap,
    bytes: Option<u64>,
) -> Result<Asset<'a>, Unlearned> {
    let caching = Caching::of(headers);
    if let Some(reason) = not_public(headers, caching) {
        return Err(reason);
    }
    let destination = destination(headers).ok_or(Unlearned::MediaType)?;
    let validator = validator_parts(headers);
    Ok(Asset {
        path,
        destination,
        cors: cors || destination == Destination::Font,
        bytes: bytes.unwrap_or_else(|| content_length(headers)),
        validator: if validator.is_empty() { 0 } else { identities.validator(&validator) },
        freshness: freshness(headers, caching),
    })
}

/// How long the response may be used by the client that got it (RFC 9111, section 4.2).
pub(crate) fn freshness(headers: &HeaderMap, caching: Caching) -> Freshness {
    if caching.no_cache {
        return Freshness::Stale;
    }
    match caching.max_age {
        Some(0) => Freshness::Stale,
        Some(_) if caching.immutable => Freshness::Immutable,
        Some(_) => Freshness::Fresh,
        // Without an explicit lifetime caches use a tenth of the age (RFC 9111, section 4.2.2).
        None if headers.contains_key(header::EXPIRES) || headers.contains_key(header::LAST_MODIFIED) => {
            Freshness::Fresh
        }
        None => Freshness::Stale,
    }
}

/// Whether a shared cache would keep this response away from others, so that a cookie in it reaches its own client
/// only. `None` if the response says nothing of caching. `private` with a list of fields lets the rest be kept.
pub(crate) fn is_private(headers: &HeaderMap) -> Option<bool> {
    let caching = Caching::of(headers);
    if !caching.said {
        return headers.contains_key(header::EXPIRES).then_some(false);
    }
    Some(caching.wholly_private || caching.no_store)
}

/// What a response is fetched as, by its media type; `None` for what is no asset of a page.
pub(crate) fn destination(headers: &HeaderMap) -> Option<Destination> {
    let media = media_type(headers)?;
    match media {
        "text/css" => Some(Destination::Style),
        "text/javascript" | "application/javascript" | "application/x-javascript" => Some(Destination::Script),
        "application/font-woff" | "application/vnd.ms-fontobject" => Some(Destination::Font),
        _ if media.starts_with("font/") => Some(Destination::Font),
        _ if media.starts_with("image/") => Some(Destination::Image),
        _ => None,
    }
}

/// What tells two contents apart: ETag, else Last-Modified and length. Empty if there is nothing.
///
/// The same content in several codings has several tags. Clients that differ in what they accept would then each see
/// an asset that the others made look changed; so what names the coding is left out of the tag.
pub(crate) fn validator_parts(headers: &HeaderMap) -> Vec<&[u8]> {
    let field = |name| headers.get(name).map(http::HeaderValue::as_bytes);
    match field(header::ETAG) {
        Some(etag) => vec![without_coding(etag)],
        None => [field(header::LAST_MODIFIED), field(header::CONTENT_LENGTH)].into_iter().flatten().collect(),
    }
}

/// The tag without `W/`, which nginx adds when it compresses, and without a suffix that names a coding: `"1a2b-gzip"`
/// of Apache, `"1a2b-br"` and `"1a2b-br.9c1b"` of the files of our own program.
fn without_coding(etag: &[u8]) -> &[u8] {
    let etag = etag.strip_prefix(b"W/").unwrap_or(etag);
    let etag = etag.strip_prefix(b"\"").unwrap_or(etag);
    let etag = etag.strip_suffix(b"\"").unwrap_or(etag);
    let Some((tag, suffix)) = etag.iter().rposition(|&b| b == b'-').and_then(|at| etag.split_at_checked(at)) else {
        return etag;
    };
    let coding = suffix.get(1..).unwrap_or_default().split(|&b| b == b'.').next().unwrap_or_default();
    if [&b"br"[..], b"deflate", b"gz", b"gzip", b"zstd"].contains(&coding) { tag } else { etag }
}

/// The announced length, bytes; 0 if unknown.
pub(crate) fn content_length(headers: &HeaderMap) -> u64 {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}

/// The media type without parameters. Names in lower case are what servers send; others are not matched.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    std::str::from_utf8(value.get(..end)?.trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let named = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        fields.iter().map(named).collect()
    }

    #[test]
    fn pages_are_html_that_was_shown() {
        let page = |status: u16, media: &str| {
            let builder = Response::builder().status(status).header(header::CONTENT_TYPE, media);
            is_page(&builder.body(()).unwrap().into_parts().0)
        };
        assert!(page(200, "text/html") && page(200, "text/html; charset=utf-8"));
        assert!(!page(404, "text/html") && !page(304, "text/html") && !page(200, "application/json"));
    }

    #[test]
    fn what_concerns_one_client_is_not_public() {
        let reason = |fields: &[(&'static str, &str)]| {
            let headers = headers(fields);
            not_public(&headers, Caching::of(&headers))
        };
        assert_eq!(reason(&[]), None);
        assert_eq!(reason(&[("cache-control", "no-cache"), ("vary", "Accept-Encoding, Origin")]), None);
        for (field, expected) in [
            (("set-cookie", "a=b"), Unlearned::SetCookie),
            (("cache-control", "max-age=3, private"), Unlearned::Private),
            (("cache-control", "Private=\"x-y\""), Unlearned::Private),
            (("cache-control", "no-store"), Unlearned::NoStore),
            (("vary", "cookie"), Unlearned::Vary),
            (("vary", "Accept"), Unlearned::Vary),
            (("vary", "accept-encoding, Authorization"), Unlearned::Vary),
            (("vary", "*"), Unlearned::Vary),
        ] {
            assert_eq!(reason(&[field]), Some(expected), "{field:?}");
        }
    }

    #[test]
    fn codings_of_one_content_are_one() {
        let validator = |tag: &str| validator_parts(&headers(&[("etag", tag)])).concat();
        for tag in ["\"1a2b\"", "W/\"1a2b\"", "\"1a2b-gzip\"", "\"1a2b-br\"", "\"1a2b-zstd\"", "\"1a2b-br.9c1b\""] {
            assert_eq!(validator(tag), b"1a2b", "{tag}");
        }
        for (tag, same) in
            [("\"a-b\"", "a-b"), ("\"5e-br-1\"", "5e-br-1"), ("\"-\"", "-"), ("x", "x"), ("\"brgzip\"", "brgzip")]
        {
            assert_eq!(validator(tag), same.as_bytes(), "{tag}");
        }
    }

    #[test]
    fn lifetimes() {
        let of = |fields: &[(&'static str, &str)]| {
            let headers = headers(fields);
            freshness(&headers, Caching::of(&headers))
        };
        assert_eq!(of(&[("cache-control", "public, max-age=60")]), Freshness::Fresh);
        assert_eq!(of(&[("cache-control", "max-age=60, immutable")]), Freshness::Immutable);
        assert_eq!(of(&[("last-modified", "Sun, 22 Nov 2026 16:00:00 GMT")]), Freshness::Fresh);
        assert_eq!(of(&[]), Freshness::Stale);
        assert_eq!(of(&[("cache-control", "max-age=0, must-revalidate")]), Freshness::Stale);
        assert_eq!(of(&[("cache-control", "max-age=60, no-cache")]), Freshness::Stale);
        assert_eq!(of(&[("cache-control", "max-age=nonsense")]), Freshness::Stale);
    }

    #[test]
    fn privacy_of_documents() {
        assert_eq!(is_private(&headers(&[])), None);
        assert_eq!(is_private(&headers(&[("cache-control", "private, no-cache")])), Some(true));
        assert_eq!(is_private(&headers(&[("cache-control", "no-cache")])), Some(false));
        assert_eq!(is_private(&headers(&[("cache-control", "private=\"x-y\"")])), Some(false));
        assert_eq!(is_private(&headers(&[("expires", "Sun, 22 Nov 2099 16:00:00 GMT")])), Some(false));
    }

    #[test]
    fn destinations_by_media_type() {
        let of = |media| destination(&headers(&[("content-type", media)]));
        assert_eq!(of("text/css; charset=utf-8"), Some(Destination::Style));
        assert_eq!(of("text/javascript"), Some(Destination::Script));
        assert_eq!(of("font/woff2"), Some(Destination::Font));
        assert_eq!(of("image/svg+xml"), Some(Destination::Image));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/json"), None);
    }
}

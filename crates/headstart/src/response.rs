//! Facts of a response head: whether it may be learned from, pushed, or named in a hint.

use std::time::{SystemTime, UNIX_EPOCH};

use headstart_learn::{Asset, Destination, Freshness, ReferrerPolicy};
use http::header::{self, HeaderMap, HeaderName};
use http::{StatusCode, response};

use crate::caching::Caching;
use crate::freshness::freshness;
use crate::identity::Identities;
use crate::personal::is_personal;
use crate::unlearned::Unlearned;

/// Request fields on which a response may depend and still be pushed: those that are copied into a promise, and
/// `Origin`, which does not differ on one's own site.
const PUSH_VARY: [&str; 4] = ["accept-encoding", "accept-language", "origin", "user-agent"];

/// Further request fields on which a response may depend and still be hinted, as a browser's preload of a style, script,
/// font or image sends what the page's own request sends:
/// - `Accept` and `Sec-Fetch-*` follow from the destination and the CORS mode, which the hint has from the page;
/// - `Save-Data`, `DNT` and `Sec-GPC` are the same on all requests of a client;
/// - `Access-Control-Request-*` stands in preflights only, `Upgrade-Insecure-Requests` in navigations only;
/// - the rest is set by scripts (`X-Requested-With`, `RSC`), and stands in neither.
///
/// `Origin` is missing in what Chromium sends for a 103, see [`varies_by_origin`]. `Referer` and most client hints
/// (`Sec-CH-*`) differ between the two; `Cookie`, `Authorization` and `*` are about who asks.
const HINT_VARY: [&str; 12] = [
    "accept",
    "dnt",
    "host",
    "hx-request",
    "next-url",
    "rsc",
    "save-data",
    "sec-gpc",
    "turbo-frame",
    "upgrade-insecure-requests",
    "x-pjax",
    "x-requested-with",
];
const HINT_VARY_PREFIXES: [&str; 5] =
    ["access-control-request-", "next-router-", "sec-fetch-", "x-forwarded-proto", "x-inertia"];

/// Whether this is a page that was shown: 200 and HTML.
pub(crate) fn is_page(head: &response::Parts) -> bool {
    let is = |name: &str| media_type(&head.headers).is_some_and(|media| media.eq_ignore_ascii_case(name));
    head.status == StatusCode::OK && (is("text/html") || is("application/xhtml+xml"))
}

/// Why an asset's response may not be the same for everyone, so that others must not hear of it; `None` if it sets no
/// cookie, is neither `private` nor `no-store`, and varies by nothing that differs between clients.
fn not_public(headers: &HeaderMap, caching: Caching) -> Option<Unlearned> {
    if headers.contains_key(header::SET_COOKIE) {
        Some(Unlearned::SetCookie)
    } else if caching.private {
        Some(Unlearned::Private)
    } else if caching.no_store {
        Some(Unlearned::NoStore)
    } else if varies_within(headers, may_hint) {
        None
    } else {
        Some(Unlearned::Vary)
    }
}

/// Whether a response that is public may also be pushed: then it depends on nothing that a promise does not say.
pub(crate) fn may_be_pushed(headers: &HeaderMap) -> bool {
    varies_within(headers, |name| is_one_of(name, &PUSH_VARY))
}

/// Whether every field that the response varies by is one that `harmless` admits.
fn varies_within(headers: &HeaderMap, harmless: impl Fn(&str) -> bool) -> bool {
    let harmless = |name: &str| {
        let name = name.trim();
        name.is_empty() || harmless(name)
    };
    headers.get_all(header::VARY).iter().all(|vary| vary.to_str().is_ok_and(|vary| vary.split(',').all(harmless)))
}

fn may_hint(name: &str) -> bool {
    let begins = |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    is_one_of(name, &PUSH_VARY) || is_one_of(name, &HINT_VARY) || HINT_VARY_PREFIXES.iter().any(begins)
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the response depends on `Origin`. Chromium 156 sends none for what a 103 names, but does for what a page asks
/// for in CORS mode, and then fetches twice.
fn varies_by_origin(headers: &HeaderMap) -> bool {
    !varies_within(headers, |name| !name.eq_ignore_ascii_case("origin"))
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
    let cors = cors || destination == Destination::Font;
    let personal = is_personal(path, caching.public || caching.immutable);
    let validator = validator_parts(headers);
    Ok(Asset {
        path,
        personal,
        destination,
        cors,
        bytes: bytes.unwrap_or_else(|| content_length(headers)),
        validator: if validator.is_empty() { 0 } else { identities.validator(&validator) },
        freshness: if cors && varies_by_origin(headers) {
            Freshness::Stale
        } else {
            freshness(headers, caching, seconds_since_1970)
        },
    })
}

/// The validator of an asset that a client holds, as a 304 tells it; `None` if the response has no ETag, or is not one
/// for everybody.
pub(crate) fn confirmed_validator(identities: &Identities, headers: &HeaderMap) -> Option<u64> {
    let told = headers.contains_key(header::ETAG) && not_public(headers, Caching::of(headers)).is_none();
    told.then(|| identities.validator(&validator_parts(headers)))
}

/// How requests that a page causes name it in their `Referer` (Referrer Policy, section 3). The last policy that is
/// known counts (section 8.1).
pub(crate) fn referrer_policy(headers: &HeaderMap) -> ReferrerPolicy {
    let fields = headers.get_all(header::REFERRER_POLICY).iter().filter_map(|value| value.to_str().ok());
    let policies = fields.flat_map(|field| field.split(',')).map(str::trim);
    policies.filter_map(crate::referrer_policy::known).next_back().map(|(_, effect)| effect).unwrap_or_default()
}

/// The facade reads the clock, here for responses that do not say when they were made.
fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether a shared cache would keep this response away from others, so that a cookie in it reaches its own client
/// only. `None` if the response says nothing of caching. `private` with a list of fields lets the rest be kept.
pub(crate) fn is_private(headers: &HeaderMap) -> Option<bool> {
    if let Some(kept_away) = targeted(headers)
        && !kept_away
    {
        return Some(false);
    }
    let caching = Caching::of(headers);
    if !caching.said {
        return headers.contains_key(header::EXPIRES).then_some(false);
    }
    Some(caching.wholly_private || caching.no_store)
}

/// Whether no cache gives this response to anybody without asking again, so that a token in it is seen once.
pub(crate) fn is_seen_once(headers: &HeaderMap) -> bool {
    let caching = Caching::of(headers);
    let asked_again = caching.no_cache || caching.max_age == Some(0);
    is_private(headers) != Some(false) || (asked_again && targeted(headers) != Some(false))
}

/// Whether all fields for the caches of content delivery networks (RFC 9213, `Surrogate-Control`, `Edge-Control`) keep
/// the response away from others. They go before `Cache-Control` there. `None` without such a field.
fn targeted(headers: &HeaderMap) -> Option<bool> {
    let is_targeted = |name: &&HeaderName| {
        let name = name.as_str();
        name.ends_with("cdn-cache-control") || matches!(name, "surrogate-control" | "edge-control")
    };
    headers.keys().filter(is_targeted).fold(None, |kept_away, name| {
        let caching = Caching::of_field(headers, name);
        Some(kept_away.unwrap_or(true) && (caching.wholly_private || caching.no_store))
    })
}

/// The destination that the media type implies; `None` for what is no asset of a page.
pub(crate) fn destination(headers: &HeaderMap) -> Option<Destination> {
    let media = media_type(headers)?;
    let (family, name) = media.split_once('/')?;
    let is = |known: &str| family.eq_ignore_ascii_case(known);
    let named = |names: &[&str]| is_one_of(name, names);
    if is("text") {
        if named(&["css"]) {
            return Some(Destination::Style);
        }
        return named(&["ecmascript", "javascript", "x-javascript"]).then_some(Destination::Script);
    }
    if is("application") {
        if named(&["ecmascript", "javascript", "x-javascript"]) {
            return Some(Destination::Script);
        }
        let font = named(&["vnd.ms-fontobject", "vnd.ms-opentype"])
            || ["font-", "x-font-"]
                .iter()
                .any(|prefix| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)));
        return font.then_some(Destination::Font);
    }
    if is("font") {
        return Some(Destination::Font);
    }
    is("image").then_some(Destination::Image)
}

/// The parts of a head that tell two contents apart: ETag, else Last-Modified and length. Empty if there is nothing.
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

/// The media type without parameters, as it was sent: names are compared without regard to case (RFC 9110, 8.3.1).
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
        assert!(page(200, "text/html") && page(200, "text/html; charset=utf-8") && page(200, "Text/HTML"));
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
            (("vary", "Sec-CH-Width"), Unlearned::Vary),
            (("vary", "Referer"), Unlearned::Vary),
            (("vary", "accept-encoding, Authorization"), Unlearned::Vary),
            (("vary", "*"), Unlearned::Vary),
        ] {
            assert_eq!(reason(&[field]), Some(expected), "{field:?}");
        }
    }

    #[test]
    fn what_a_preload_sends_as_the_page_does_may_be_hinted_and_not_pushed() {
        for vary in
            ["Accept", "Sec-Fetch-Dest", "save-data", "RSC, Next-Router-State-Tree", "X-Requested-With", "X-Inertia"]
        {
            let headers = headers(&[("vary", vary)]);
            assert_eq!(not_public(&headers, Caching::default()), None, "{vary}");
            assert!(!may_be_pushed(&headers), "{vary}");
        }
        assert!(may_be_pushed(&headers(&[("vary", "Accept-Encoding, origin")])));
    }

    #[test]
    fn what_depends_on_the_origin_and_is_asked_for_in_cors_mode_is_not_for_a_103() {
        let identities = Identities::new([0; 16]);
        let fields = [("content-type", "text/javascript"), ("cache-control", "max-age=600"), ("vary", "Origin")];
        let freshness = |cors| asset(&identities, "/a.js", cors, &headers(&fields), None).unwrap().freshness;
        assert_eq!((freshness(true), freshness(false)), (Freshness::Stale, Freshness::Fresh));
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
    fn caches_of_delivery_networks_are_told_apart() {
        let private = ("cache-control", "private");
        for (field, expected) in [
            (("cdn-cache-control", "max-age=60"), Some(false)),
            (("cloudflare-cdn-cache-control", "max-age=60"), Some(false)),
            (("surrogate-control", "max-age=60"), Some(false)),
            (("surrogate-control", "no-store"), Some(true)),
            (("x-cache", "hit"), Some(true)),
        ] {
            assert_eq!(is_private(&headers(&[private, field])), expected, "{field:?}");
        }
        assert_eq!(is_private(&headers(&[("cdn-cache-control", "max-age=1")])), Some(false));
    }

    #[test]
    fn the_last_known_referrer_policy_counts() {
        let of = |field: &str| referrer_policy(&headers(&[("referrer-policy", field)]));
        assert_eq!(referrer_policy(&HeaderMap::new()), ReferrerPolicy::Unknown);
        assert_eq!(of("no-referrer"), ReferrerPolicy::Origin);
        assert_eq!(of("Strict-Origin"), ReferrerPolicy::Origin);
        assert_eq!(of("strict-origin-when-cross-origin"), ReferrerPolicy::Full);
        assert_eq!(of("no-referrer, same-origin, what-comes-next"), ReferrerPolicy::Full);
        assert_eq!(of("nonsense"), ReferrerPolicy::Unknown);
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
        assert_eq!(of("Text/CSS"), Some(Destination::Style));
        assert_eq!(of("application/JavaScript"), Some(Destination::Script));
        assert_eq!(of("application/x-font-ttf"), Some(Destination::Font));
        assert_eq!(of("text/javascript"), Some(Destination::Script));
        assert_eq!(of("font/woff2"), Some(Destination::Font));
        assert_eq!(of("image/svg+xml"), Some(Destination::Image));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/json"), None);
    }
}

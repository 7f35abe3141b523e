//! Chooses the responses that are compressed, and changes their heads.

use headstart_coding::{Accepted, Coding, is_compressible};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode, response};

use super::budget::Budget;
use super::recoder::Recoder;
use super::secrets;
use crate::config::{Compression, Config};
use crate::head::{content_length, vary_by_coding};

/// Of codings that a client takes equally: the one that saves the most for its work. Zstandard costs a third of what gzip
/// costs, and is as dense; Brotli is denser than gzip at the same cost.
const ORDER: [Coding; 3] = [Coding::Zstd, Coding::Br, Coding::Gzip];

/// Fields that say something of the bytes as they were.
const OF_PLAIN_FORM: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::ACCEPT_RANGES,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// A content that is known to be at most this long has been made as a whole: all of it comes at once, and nothing is gained
/// by sending its parts sooner.
const WHOLE: u64 = 64 << 10;

/// Decides about a response by its head and that of the request, as the upstream got it. If it is to be compressed, or was
/// confirmed to be what a client has compressed, the head is made to say so. `None` if the content stays as it is.
pub(crate) fn choose(
    config: &Config,
    budget: &Budget,
    asked: &Parts,
    head: &mut response::Parts,
    has_content: bool,
) -> Option<Box<Recoder>> {
    let compression = config.compress.as_ref()?;
    if head.status == StatusCode::NOT_MODIFIED {
        confirm_coded_form(asked, &mut head.headers);
        return None;
    }
    let is_head = asked.method == Method::HEAD;
    if !(has_content || is_head) || !is_worth_it(compression, asked, head) {
        return None;
    }
    vary_by_coding(&mut head.headers);
    if secrets::at_risk(asked, head, &config.own_cookies) {
        return None;
    }
    let favourites: Vec<Coding> = Accepted::read(&asked.headers).favourites().collect();
    let coding = *ORDER.iter().find(|coding| favourites.contains(coding))?;
    if is_head {
        say_coded(&mut head.headers, coding);
        return None;
    }
    let room = budget.take(coding)?;
    let is_whole = content_length(&head.headers).is_some_and(|bytes| bytes <= WHOLE);
    say_coded(&mut head.headers, coding);
    Some(Box::new(if is_whole { Recoder::whole(room) } else { Recoder::stream(room) }))
}

/// Whether there is a form of the content that is worth its making, whoever asks.
fn is_worth_it(compression: &Compression, asked: &Parts, head: &response::Parts) -> bool {
    let headers = &head.headers;
    let has_content = !head.status.is_informational()
        && !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT);
    let is_plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"));
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    has_content
        && is_plain
        && !headers.contains_key(header::CONTENT_RANGE)
        // Not server-sent events: each of them is small, and their streams are open for as long as their page.
        && is_compressible(media)
        && content_length(headers).is_none_or(|bytes| bytes >= compression.from)
        // A cache between us and the client may not transform either (RFC 9111, sections 5.2.1.6 and 5.2.2.6).
        && !forbids_transforming(headers)
        && !forbids_transforming(&asked.headers)
}

fn forbids_transforming(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

/// The head is that of the coded form: another length, which is not known yet, no ranges, and equal to the plain form in
/// meaning only (RFC 9110, section 8.8.1).
fn say_coded(headers: &mut HeaderMap, coding: Coding) {
    for name in OF_PLAIN_FORM {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_ENCODING, coding.value());
    if let Some(weak) = headers.get(header::ETAG).and_then(weakened) {
        headers.insert(header::ETAG, weak);
    }
}

fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let bytes = tag.as_bytes();
    if bytes.starts_with(b"W/") {
        return None;
    }
    HeaderValue::from_bytes(&[b"W/", bytes].concat()).ok()
}

/// What a client holds in coded form it names by the weak tag; the upstream confirms it by the strong one that it knows.
fn confirm_coded_form(asked: &Parts, headers: &mut HeaderMap) {
    let Some(weak) = headers.get(header::ETAG).and_then(weakened) else { return };
    let conditions = asked.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if conditions.flat_map(|value| value.split(',')).any(|tag| tag.trim().as_bytes() == weak.as_bytes()) {
        headers.insert(header::ETAG, weak);
        vary_by_coding(headers);
    }
}

/// What a client names it has from heads that were made weak above, and the upstream is asked for its own, strong tags.
///
/// `If-Match` compares strongly (RFC 9110, section 13.1.1): there they take the place of the weak ones, and one that the
/// upstream made weak itself matches nothing either way. `If-None-Match` compares weakly, so that they say no more than
/// what is there; they stand beside it, for applications that compare tags byte by byte.
pub(crate) fn name_plain_form(headers: &mut HeaderMap) {
    if let Some(tags) = weak_tags(headers, &header::IF_MATCH) {
        insert(headers, header::IF_MATCH, &strong(&tags).join(", "));
    }
    if let Some(tags) = weak_tags(headers, &header::IF_NONE_MATCH) {
        let named: Vec<&str> = tags.split(',').map(str::trim).collect();
        let more = strong(&tags).into_iter().filter(|tag| !named.contains(tag));
        let all: Vec<&str> = named.iter().copied().chain(more).collect();
        insert(headers, header::IF_NONE_MATCH, &all.join(", "));
    }
}

/// The tags of the one field of this name, if there are weak ones.
fn weak_tags(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut fields = headers.get_all(name).iter();
    let tags = fields.next().filter(|_| fields.next().is_none())?.to_str().ok()?;
    tags.contains("W/\"").then(|| tags.to_owned())
}

fn strong(tags: &str) -> Vec<&str> {
    tags.split(',').map(|tag| tag.trim().trim_start_matches("W/")).collect()
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use headstart_coding::Levels;
    use http::{Request, Response};

    use super::*;

    type Fields<'a> = &'a [(&'a str, &'a str)];

    /// The head that a client gets, and whether content is encoded.
    fn chosen(method: &str, asked: Fields<'_>, status: u16, said: Fields<'_>) -> (response::Parts, bool) {
        let mut request = Request::builder().method(method).uri("/").header("host", "a.example");
        for (name, value) in asked {
            request = request.header(*name, *value);
        }
        let mut response = Response::builder().status(status);
        for (name, value) in said {
            response = response.header(*name, *value);
        }
        let asked = request.body(()).unwrap().into_parts().0;
        let mut head = response.body(()).unwrap().into_parts().0;
        let budget = Budget::new(64 << 20, Levels::LIVE);
        let coded = choose(&Config::new(Vec::new()), &budget, &asked, &mut head, method != "HEAD").is_some();
        (head, coded)
    }

    fn coding(asked: Fields<'_>, said: Fields<'_>) -> Option<String> {
        let (head, coded) = chosen("GET", asked, 200, said);
        let coding = head.headers.get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(coding.is_some(), coded);
        coding
    }

    const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

    #[test]
    fn the_client_chooses() {
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("gzip, br", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0.1, gzip;q=0.9", Some("gzip")),
            ("gzip;q=0", None),
            ("identity", None),
            ("identity;q=0", None),
            ("deflate", None),
            ("*;q=0", None),
            ("", None),
        ] {
            assert_eq!(coding(&[("accept-encoding", accepted)], &[HTML]).as_deref(), expected, "{accepted}");
        }
        assert_eq!(coding(&[], &[HTML]), None);
    }

    #[test]
    fn what_stays_as_it_is() {
        let gzip = ("accept-encoding", "gzip");
        for said in [
            &[HTML, ("content-encoding", "br")][..],
            &[HTML, ("content-length", "1023")],
            &[HTML, ("cache-control", "max-age=1, No-Transform")],
            &[HTML, ("content-range", "bytes 0-9999/20000")],
            &[("content-type", "image/png")],
            &[("content-type", "text/event-stream; charset=utf-8")],
            &[("content-length", "9999")],
        ] {
            let (head, coded) = chosen("GET", &[gzip], 200, said);
            assert!(!coded && !head.headers.contains_key("vary"), "{said:?}");
            assert_eq!(head.headers.len(), said.len(), "{said:?}");
        }
        for status in [204, 205, 206] {
            assert!(!chosen("GET", &[gzip], status, &[HTML]).1, "{status}");
        }
        assert!(!chosen("GET", &[gzip, ("cache-control", "no-transform")], 200, &[HTML]).1);
        for status in [201, 404, 500] {
            assert!(chosen("POST", &[gzip], status, &[HTML]).1, "{status}");
        }
        assert!(chosen("GET", &[gzip], 200, &[HTML, ("content-encoding", "identity")]).1);
    }

    #[test]
    fn the_head_is_that_of_the_coded_form() {
        let said = [
            HTML,
            ("content-length", "5000"),
            ("accept-ranges", "bytes"),
            ("etag", "\"1\""),
            ("content-digest", "sha-256=:x:"),
            ("repr-digest", "sha-256=:x:"),
            ("vary", "Cookie"),
        ];
        for method in ["GET", "HEAD"] {
            let (head, coded) = chosen(method, &[("accept-encoding", "gzip")], 200, &said);
            assert_eq!(coded, method == "GET");
            let mut fields: Vec<_> =
                head.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
            fields.sort_unstable();
            let expected = [
                "content-encoding: gzip",
                "content-type: text/html; charset=utf-8",
                "etag: W/\"1\"",
                "vary: Accept-Encoding",
                "vary: Cookie",
            ];
            assert_eq!(fields, expected, "{method}");
        }
        // The plain form varies as well.
        let (head, _) = chosen("GET", &[], 200, &said);
        assert_eq!(head.headers["etag"], "\"1\"");
        assert_eq!(head.headers.get_all("vary").iter().count(), 2);
        let (head, _) = chosen("GET", &[], 200, &[HTML, ("vary", "Origin, Accept-Encoding")]);
        assert_eq!(head.headers.get_all("vary").iter().count(), 1);
    }

    #[test]
    fn the_coded_form_is_confirmed() {
        let confirmed = |condition| {
            let (head, _) = chosen("GET", &[("if-none-match", condition)], 304, &[("etag", "\"1\"")]);
            (head.headers["etag"].to_str().unwrap().to_owned(), head.headers.contains_key("vary"))
        };
        assert_eq!(confirmed("\"0\", W/\"1\""), ("W/\"1\"".into(), true));
        assert_eq!(confirmed("\"1\""), ("\"1\"".into(), false));
    }

    #[test]
    fn the_plain_form_is_named() {
        for (said, asked) in [("W/\"1\"", "\"1\""), ("\"0\", W/\"1\"", "\"0\", \"1\""), ("*", "*"), ("\"1\"", "\"1\"")]
        {
            let mut headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(said))]);
            name_plain_form(&mut headers);
            assert_eq!(headers["if-match"], asked);
        }
        for (said, asked) in [
            ("W/\"1\"", "W/\"1\", \"1\""),
            ("\"1\", W/\"1\"", "\"1\", W/\"1\""),
            ("W/\"1\", \"0\"", "W/\"1\", \"0\", \"1\""),
            ("*", "*"),
            ("\"1\"", "\"1\""),
        ] {
            let mut headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(said))]);
            name_plain_form(&mut headers);
            assert_eq!(headers["if-none-match"], asked);
        }
    }
}

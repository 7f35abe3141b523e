//! Heads on their way: what is refused at the door, and what of a head is for one connection only.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Authority;
use http::{Method, StatusCode, Version};

/// Fields of one connection (RFC 9110, section 7.6.1), and those that old software takes for such.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authorization"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Fields that `Connection` may not name: an application behind us relies on them.
const NOT_FOR_CONNECTION: [HeaderName; 5] =
    [header::HOST, header::CONTENT_LENGTH, header::COOKIE, header::AUTHORIZATION, header::CACHE_CONTROL];

/// The status for a request that is not passed on, for what it says may be read in two ways, or asks for what a proxy
/// of one site does not do. hyper and `h2` have refused what is no HTTP at all.
pub(super) fn refused(head: &Parts) -> Option<StatusCode> {
    if matches!(head.method, Method::CONNECT | Method::TRACE) {
        return Some(StatusCode::METHOD_NOT_ALLOWED);
    }
    let path = head.uri.path();
    let asks_for_server = path == "*" && head.method == Method::OPTIONS;
    if !path.starts_with('/') && !asks_for_server {
        return Some(StatusCode::BAD_REQUEST);
    }
    let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        // A body of which another reader may see another end.
        if head.version != Version::HTTP_11 || head.headers.contains_key(header::CONTENT_LENGTH) {
            return Some(StatusCode::BAD_REQUEST);
        }
        if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Some(StatusCode::NOT_IMPLEMENTED);
        }
    }
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next()
        && (lengths.next().is_some() || length.is_empty() || !length.as_bytes().iter().all(u8::is_ascii_digit))
    {
        return Some(StatusCode::BAD_REQUEST);
    }
    names_one_host(head).then_some(()).map_or(Some(StatusCode::BAD_REQUEST), |()| None)
}

/// HTTP/1.1 asks for exactly one `Host` (RFC 9112, section 3.2), which hyper does not check. HTTP/2 carries the
/// authority in the target.
fn names_one_host(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let sound = match hosts.next() {
        Some(host) => is_authority(host) && hosts.next().is_none(),
        None => head.uri.authority().is_some() || head.version == Version::HTTP_10,
    };
    sound && head.uri.authority().is_none_or(|authority| !authority.as_str().contains('@'))
}

fn is_authority(host: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(byte);
    let bytes = host.as_bytes();
    let sound_port = |authority: Authority| {
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        port.is_empty() || port == ":" || authority.port_u16().is_some()
    };
    !bytes.is_empty() && bytes.iter().all(plain) && Authority::try_from(bytes).is_ok_and(sound_port)
}

/// Takes the host that the client asked for out of a head, with port: the target's (RFC 9112, section 3.2.2), else the
/// field's. Empty if there is none, as HTTP/1.0 allows.
pub(super) fn take_host(head: &mut Parts) -> String {
    let field = head.headers.remove(header::HOST);
    match head.uri.authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => field.and_then(|field| field.to_str().ok().map(str::to_owned)).unwrap_or_default(),
    }
}

/// The protocol that the client wants to change to, if this may become a tunnel: one protocol, no content. Cleartext
/// HTTP/2 is none of them: what follows would be requests that nobody has looked at.
pub(super) fn upgrade(head: &Parts, has_content: bool) -> Option<HeaderValue> {
    if head.version != Version::HTTP_11 || head.method != Method::GET || has_content {
        return None;
    }
    let mut protocols = head.headers.get_all(header::UPGRADE).iter();
    let protocol = protocols.next().filter(|_| protocols.next().is_none())?;
    let named = connection_options(&head.headers).any(|option| option.eq_ignore_ascii_case("upgrade"));
    let text = protocol.to_str().ok()?.trim();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&byte);
    let sound = !text.is_empty() && text.bytes().all(token);
    let http = text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("h2"))
        || text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http"))
        || text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("tls"));
    (named && sound && !http).then(|| protocol.clone())
}

/// Removes what is of one connection, and what `Connection` names.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = connection_options(headers)
            // The usual options, whose fields are left out anyway.
            .filter(|option| !["close", "keep-alive", "upgrade"].iter().any(|own| option.eq_ignore_ascii_case(own)))
            .filter_map(|option| HeaderName::from_bytes(option.as_bytes()).ok())
            .filter(|name| !NOT_FOR_CONNECTION.contains(name))
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    remove_where(headers, is_hop_by_hop);
}

/// A transfer coding that is not understood.
pub(super) struct UnknownFraming;

/// Settles where the body of a response ends: `Transfer-Encoding` overrides `Content-Length`, which must not go on
/// beside it (RFC 9112, section 6.3), and what has no content has no length either (RFC 9110, section 8.6).
///
/// # Errors
///
/// If there is another transfer coding than `chunked`, which nobody asked for and nobody would take off.
pub(super) fn settle_framing(status: StatusCode, headers: &mut HeaderMap) -> Result<(), UnknownFraming> {
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    if codings.next().is_some() || !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
        return Err(UnknownFraming);
    }
    headers.remove(header::CONTENT_LENGTH);
    Ok(())
}

/// Whether a response says that it depends on which codings the client takes.
pub(super) fn varies_by_coding(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("accept-encoding"))
}

/// Has a response say that it depends on which codings the client takes.
pub(super) fn vary_by_coding(headers: &mut HeaderMap) {
    if !varies_by_coding(headers) {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// The length that a head says its content has, if it says one.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Removes fields with an underscore: to CGI and its heirs `x_forwarded_for` is `x-forwarded-for`.
pub(super) fn remove_ambiguous(headers: &mut HeaderMap) {
    remove_where(headers, |name| name.contains('_'));
}

/// Removes fields by their names. A head has few, and seldom one of these: to look at each costs less than to look for
/// all that there might be.
pub(super) fn remove_where(headers: &mut HeaderMap, goes: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| goes(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// HTTP/2 may send a cookie in crumbs; HTTP/1.1 has one field (RFC 9113, section 8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(header::COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

/// Whether the client takes trailers (RFC 9110, section 10.1.4).
pub(super) fn takes_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
}

fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|option| !option.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn head(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[track_caller]
    fn check(status: u16, method: &str, uri: &str, fields: &[(&str, &str)]) {
        let found = refused(&head(method, uri, fields)).map_or(0, |status| status.as_u16());
        assert_eq!(found, status, "{method} {uri} {fields:?}");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let host = ("host", "a.example");
        check(0, "GET", "/", &[host]);
        check(0, "OPTIONS", "*", &[host]);
        check(0, "GET", "http://a.example/", &[host]);
        check(0, "GET", "http://a.example/", &[]);
        check(0, "POST", "/", &[host, ("transfer-encoding", "Chunked")]);
        check(0, "POST", "/", &[host, ("content-length", "0")]);
        check(405, "CONNECT", "a.example:443", &[host]);
        check(405, "TRACE", "/", &[host]);
        check(400, "GET", "*", &[host]);
        check(400, "POST", "/", &[host, ("transfer-encoding", "chunked"), ("content-length", "1")]);
        check(501, "POST", "/", &[host, ("transfer-encoding", "gzip, chunked")]);
        check(501, "POST", "/", &[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")]);
        check(400, "POST", "/", &[host, ("content-length", "1"), ("content-length", "1")]);
        check(400, "POST", "/", &[host, ("content-length", "+1")]);
        check(400, "POST", "/", &[host, ("content-length", "")]);
        check(400, "GET", "/", &[]);
        check(400, "GET", "/", &[host, host]);
        for bad in ["", "a b", "a/b", "a@b", "a.example:x", "a\"b", "a,b/"] {
            check(400, "GET", "/", &[("host", bad)]);
        }
    }

    #[test]
    fn fields_of_a_connection_stay_there() {
        let mut headers = head(
            "GET",
            "/",
            &[
                ("connection", "close, X-Internal, authorization"),
                ("connection", "te"),
                ("x-internal", "1"),
                ("authorization", "x"),
                ("te", "trailers"),
                ("keep-alive", "5"),
                ("proxy-connection", "x"),
                ("upgrade", "h2c"),
                ("http2-settings", "x"),
                ("x_forwarded_for", "1"),
                ("x-kept", "1"),
            ],
        )
        .headers;
        assert!(takes_trailers(&headers));
        remove_hop_by_hop(&mut headers);
        remove_ambiguous(&mut headers);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "x-kept"]);
    }

    #[test]
    fn tunnels() {
        let asked = |protocol| {
            let fields = [("host", "a"), ("connection", "keep-alive, Upgrade"), ("upgrade", protocol)];
            upgrade(&head("GET", "/", &fields), false).is_some()
        };
        assert!(asked("websocket"));
        for no in ["h2c", "H2", "HTTP/2.0", "TLS/1.0", "a, b", "", "a b"] {
            assert!(!asked(no), "{no}");
        }
        let fields = [("connection", "upgrade"), ("upgrade", "websocket")];
        assert!(upgrade(&head("GET", "/", &fields), true).is_none());
        assert!(upgrade(&head("POST", "/", &fields), false).is_none());
        assert!(upgrade(&head("GET", "/", &fields[1..]), false).is_none());
    }

    #[test]
    fn crumbs_are_joined() {
        let mut headers = head("GET", "/", &[("cookie", "a=1"), ("cookie", "b=2; c=3")]).headers;
        join_cookies(&mut headers);
        assert_eq!(headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2; c=3"]);
    }
}

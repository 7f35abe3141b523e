//! Requests that the driver answers itself, and what it reads off request heads.

use h2::ext::Protocol;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::config::Config;

/// The answer to a request that no service should see; `None` for the others.
///
/// - CONNECT: 501 (RFC 9110, section 15.6.2), unless it names a protocol (RFC 8441) and tunnels are taken: what is
///   asked for then is a resource of ours.
/// - More fields than [`Config::max_header_fields`], or a larger list than [`Config::max_header_list_bytes`]: 431
///   (RFC 6585, section 5). Cookies have been [joined](crate::cookies::join) before.
/// - `Host` that differs from `:authority`: 400 (RFC 9113, section 8.3.1), for the two would be believed by
///   different parts of a server.
/// - What makes a request malformed and `h2` lets pass: 400 (sections 8.1.1, 8.2.1 and 8.3.1).
pub(crate) fn refused(head: &Parts, config: &Config) -> Option<Response<()>> {
    let tunnel = config.extended_connect && head.extensions.get::<Protocol>().is_some();
    let status = if head.method == Method::CONNECT && !tunnel {
        StatusCode::NOT_IMPLEMENTED
    } else if head.headers.len() > config.max_header_fields || list_bytes(head) > config.max_header_list_bytes as usize
    {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    } else if hosts_differ(head) || is_malformed(head) {
        StatusCode::BAD_REQUEST
    } else {
        return None;
    };
    let mut response = Response::new(());
    *response.status_mut() = status;
    Some(response)
}

/// The size of the header list, bytes: name, value and 32 for each field (RFC 9113, section 6.5.2).
fn list_bytes(head: &Parts) -> usize {
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    let target = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let authority = head.uri.authority().map_or(0, |authority| authority.as_str().len());
    let pseudo_fields =
        [(7, head.method.as_str().len()), (7, head.uri.scheme_str().map_or(0, str::len)), (10, authority)];
    let pseudo_bytes: usize = pseudo_fields.iter().map(|(name, value)| name + value + 32).sum();
    fields + pseudo_bytes + 5 + target + 32
}

fn hosts_differ(head: &Parts) -> bool {
    let Some(authority) = head.uri.authority() else {
        return false;
    };
    head.headers
        .get_all(header::HOST)
        .iter()
        .any(|host| !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()))
}

/// Space around a value, an empty content-length, a user in `:authority`, an empty `:scheme`, `*` with a method
/// that has no such form: what servers behind this one would each read in their own way.
fn is_malformed(head: &Parts) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let padded = |value: &HeaderValue| is_space(value.as_bytes().first()) || is_space(value.as_bytes().last());
    let no_length = head.headers.get(header::CONTENT_LENGTH).is_some_and(HeaderValue::is_empty);
    let authority = head.uri.authority();
    head.headers.values().any(padded)
        || no_length
        || authority.is_some_and(|authority| authority.as_str().contains('@'))
        || authority.is_some() && head.uri.scheme_str().is_none_or(str::is_empty)
        || head.uri.path() == "*" && head.method != Method::OPTIONS
}

/// Whether the client holds its body back for a 100 (Continue) (RFC 9110, section 10.1.1).
pub(crate) fn expects_continue(head: &Parts) -> bool {
    head.headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// The announced length of the request's body, bytes. `h2` has checked that it is one number.
pub(crate) fn content_length(head: &Parts) -> Option<u64> {
    head.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[track_caller]
    fn check(request: http::request::Builder, status: Option<u16>) {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let config = Config { extended_connect: true, max_header_fields: 3, ..Config::default() };
        assert_eq!(refused(&head, &config).map(|response| response.status().as_u16()), status);
    }

    #[test]
    fn tunnels_and_two_hosts_are_refused() {
        check(Request::get("https://a.example/"), None);
        check(Request::get("https://a.example/").header("host", "A.example"), None);
        check(Request::get("https://a.example/").header("host", "b.example"), Some(400));
        check(Request::connect("a.example:443"), Some(501));
        let tunnel = || Request::connect("https://a.example/chat").extension(Protocol::from_static("websocket"));
        check(tunnel(), None);
        check(tunnel().header("host", "b.example"), Some(400));
        let (head, ()) = tunnel().body(()).unwrap().into_parts();
        assert_eq!(refused(&head, &Config::default()).unwrap().status(), 501);
    }

    #[test]
    fn a_list_that_is_too_large_is_refused() {
        let (head, ()) = Request::get("https://a.example/path").header("a", "bc").body(()).unwrap().into_parts();
        // :method GET, :scheme https, :authority a.example, :path /path, a bc.
        let bytes = (7 + 3) + (7 + 5) + (10 + 9) + (5 + 5) + (1 + 2) + 5 * 32;
        let status = |max_header_list_bytes| {
            let config = Config { max_header_list_bytes, ..Config::default() };
            refused(&head, &config).map(|response| response.status().as_u16())
        };
        assert_eq!(status(bytes), None);
        assert_eq!(status(bytes - 1), Some(431));
    }

    #[test]
    fn too_many_fields_are_refused() {
        let fields = |count: usize| (0..count).fold(Request::get("https://a/"), |request, _| request.header("a", "b"));
        check(fields(3), None);
        check(fields(4), Some(431));
    }

    #[test]
    fn what_h2_lets_pass_is_refused() {
        let with = |value: &'static [u8]| {
            Request::get("https://a.example/").header("x-test", HeaderValue::from_bytes(value).unwrap())
        };
        check(with(b"a b"), None);
        check(with(b""), None);
        for value in [&b" a"[..], b"a ", b"\ta", b"a\t", b" "] {
            check(with(value), Some(400));
        }
        check(Request::get("https://a.example/").header("content-length", ""), Some(400));
        check(Request::get("https://user@a.example/"), Some(400));
        check(Request::get("*"), Some(400));
        check(Request::options("*"), None);
    }
}

//! Makes a response's head fit for HTTP/2 (RFC 9113, section 8.2.2; RFC 9110).

use bytes::Bytes;
use h2::server::SendResponse;
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Response, StatusCode, response};
use http_body::SizeHint;
use tokio::time::Instant;

use crate::date::date;

/// Fields that belong to one HTTP/1.1 connection (RFC 9113, section 8.2.2). `h2` refuses a whole response for
/// any of them.
const HOP_BY_HOP: [&str; 6] = ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// Makes a head fit to send and says whether a body may follow it.
pub(crate) fn finish(method: &Method, head: &mut response::Parts, size: &SizeHint, now: Instant) -> bool {
    remove_hop_by_hop(&mut head.headers);
    if !head.headers.contains_key(header::DATE)
        && let Some(date) = date(now)
    {
        head.headers.insert(header::DATE, date);
    }
    let no_content = head.status == StatusCode::NO_CONTENT;
    let tunnel = *method == Method::CONNECT && head.status.is_success();
    let bodyless = no_content || head.status == StatusCode::NOT_MODIFIED || *method == Method::HEAD;
    if no_content || tunnel {
        // RFC 9110, section 8.6: never on a 204, nor on what opens a tunnel.
        head.headers.remove(header::CONTENT_LENGTH);
    } else if !head.headers.contains_key(header::CONTENT_LENGTH)
        && head.status != StatusCode::NOT_MODIFIED
        && let Some(bytes) = size.exact()
        // An empty body after HEAD says nothing about the length that GET would have.
        && (bytes > 0 || *method != Method::HEAD)
    {
        head.headers.insert(header::CONTENT_LENGTH, bytes.into());
    }
    !bodyless
}

/// Answers with 500 where a reset would drop promises that are queued on the stream.
pub(crate) fn fail(respond: &mut SendResponse<Bytes>) {
    let mut failed = Response::new(());
    *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    // Refused only for a stream that is gone.
    let _ = respond.send_response(failed, true);
}

/// Removes the fields of one connection, and those that `Connection` names (RFC 9110, section 7.6.1).
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Few responses have any, and looking a name up costs more than looking at those that are there.
    if !headers.keys().any(|name| HOP_BY_HOP.contains(&name.as_str())) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named.iter().map(HeaderName::as_str).chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn finished(method: &Method, builder: response::Builder, size: SizeHint) -> (HeaderMap, bool) {
        let (mut head, ()) = builder.body(()).unwrap().into_parts();
        let body = finish(method, &mut head, &size, Instant::now());
        (head.headers, body)
    }

    #[test]
    fn connection_fields_go() {
        let builder = Response::builder()
            .header("connection", "close, X-Internal")
            .header("x-internal", "1")
            .header("keep-alive", "timeout=5")
            .header("transfer-encoding", "chunked")
            .header("x-kept", "1");
        let (headers, _) = finished(&Method::GET, builder, SizeHint::new());
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept", "date"]);
    }

    #[test]
    fn length_follows_the_body() {
        let length = |method, status, size| {
            let (headers, body) = finished(&method, Response::builder().status(status), size);
            (headers.get(header::CONTENT_LENGTH).map(|v| v.to_str().unwrap().to_owned()), body)
        };
        let some = |n: &str| Some(n.to_owned());
        assert_eq!(length(Method::GET, 200, SizeHint::with_exact(3)), (some("3"), true));
        assert_eq!(length(Method::GET, 200, SizeHint::with_exact(0)), (some("0"), true));
        assert_eq!(length(Method::GET, 200, SizeHint::new()), (None, true));
        assert_eq!(length(Method::HEAD, 200, SizeHint::with_exact(3)), (some("3"), false));
        assert_eq!(length(Method::HEAD, 200, SizeHint::with_exact(0)), (None, false));
        assert_eq!(length(Method::GET, 204, SizeHint::with_exact(0)), (None, false));
        assert_eq!(length(Method::GET, 304, SizeHint::with_exact(0)), (None, false));
        assert_eq!(length(Method::CONNECT, 200, SizeHint::with_exact(3)), (None, true));
        assert_eq!(length(Method::CONNECT, 403, SizeHint::with_exact(3)), (some("3"), true));
    }
}

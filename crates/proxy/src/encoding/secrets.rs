//! Recognises responses whose compressed length would give away a secret in them (BREACH).
//!
//! Whoever can have a browser ask, time and again, for a page that repeats a part of the request beside a secret, and can see
//! how long the encrypted responses are, guesses the secret: a right guess compresses better. It takes a request with the
//! user's credentials, from a page of the attacker, with something in it that the response repeats.

use http::header::{self, HeaderMap};
use http::request::Parts;
use http::uri::Uri;
use http::{Method, response};

use crate::cookies;

/// Whether a response may carry a secret beside what another site has put into the request.
pub(super) fn at_risk(asked: &Parts, head: &response::Parts, own_cookies: &[String]) -> bool {
    is_personal(asked, head, own_cookies) && may_repeat(asked, head) && !is_from_same_origin(asked)
}

/// The client is known, and the response is not said to be for everyone.
fn is_personal(asked: &Parts, head: &response::Parts, own_cookies: &[String]) -> bool {
    let has_cookie =
        asked.headers.get_all(header::COOKIE).iter().any(|cookies| !cookies::are_own(cookies, own_cookies));
    let is_known = has_cookie || asked.headers.contains_key(header::AUTHORIZATION);
    is_known && !is_public(&head.headers)
}

fn is_public(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|directive| {
        let name = directive.split('=').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("public") || name.eq_ignore_ascii_case("s-maxage")
    })
}

/// The request has a query or content, or the response is an error, which likes to repeat the path. Styles, fonts and
/// images repeat nothing.
fn may_repeat(asked: &Parts, head: &response::Parts) -> bool {
    let media = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.trim_start().to_ascii_lowercase();
    if ["text/css", "font/", "image/", "application/wasm"].iter().any(|plain| media.starts_with(plain)) {
        return false;
    }
    let has_query = asked.uri.query().is_some_and(|query| !query.is_empty());
    let has_content = !matches!(asked.method, Method::GET | Method::HEAD);
    has_query || has_content || head.status.is_client_error() || head.status.is_server_error()
}

/// The request was made by the user or by a page of this site. A browser says so; where it does not (over plain HTTP, or for
/// it is old), `Origin` and `Referer` have to name this host.
fn is_from_same_origin(asked: &Parts) -> bool {
    let text = |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return ["same-origin", "same-site", "none"].contains(&site);
    }
    let Some(host) = text("host") else { return false };
    let names_host = |url: &str| {
        let uri: Option<Uri> = url.parse().ok();
        uri.and_then(|uri| uri.authority().map(|authority| authority.as_str().eq_ignore_ascii_case(host)))
    };
    let said: Vec<bool> =
        ["origin", "referer"].into_iter().filter_map(text).map(|url| names_host(url).unwrap_or(false)).collect();
    !said.is_empty() && said.iter().all(|same| *same)
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};

    use super::*;

    #[track_caller]
    fn check(risk: bool, method: &str, uri: &str, asked: &[(&str, &str)], status: u16, said: &[(&str, &str)]) {
        let mut request = Request::builder().method(method).uri(uri).header("host", "a.example");
        for (name, value) in asked {
            request = request.header(*name, *value);
        }
        let mut response = Response::builder().status(status);
        for (name, value) in said {
            response = response.header(*name, *value);
        }
        let (asked, head) = (request.body(()).unwrap().into_parts().0, response.body(()).unwrap().into_parts().0);
        assert_eq!(at_risk(&asked, &head, &["own".into()]), risk, "{asked:?} {head:?}");
    }

    #[test]
    fn a_guess_of_another_site_is_not_compressed_beside_a_secret() {
        let session = ("cookie", "session=1");
        let foreign = ("sec-fetch-site", "cross-site");
        let html = &[("content-type", "text/html")][..];
        check(true, "GET", "/?q=guess", &[session, foreign], 200, html);
        check(true, "GET", "/?q=guess", &[session], 200, html);
        check(true, "GET", "/?q=guess", &[("authorization", "Basic x"), foreign], 200, html);
        check(true, "POST", "/", &[session, foreign], 200, html);
        check(true, "GET", "/guess", &[session, foreign], 404, html);
        check(true, "GET", "/?q=guess", &[session, ("referer", "https://b.example/")], 200, html);
        check(true, "GET", "/?q=x", &[session, ("referer", "https://a.example/"), ("origin", "null")], 200, html);
        check(true, "GET", "/?q=guess", &[session, foreign], 200, &[("content-type", "application/json")]);
    }

    #[test]
    fn all_else_is() {
        let session = ("cookie", "session=1");
        let foreign = ("sec-fetch-site", "cross-site");
        let html = &[("content-type", "text/html")][..];
        check(false, "GET", "/?q=guess", &[foreign], 200, html);
        check(false, "GET", "/?q=guess", &[("cookie", "own=1"), foreign], 200, html);
        check(false, "GET", "/page", &[session, foreign], 200, html);
        check(false, "GET", "/?q=guess", &[session, ("sec-fetch-site", "same-origin")], 200, html);
        check(false, "GET", "/?q=guess", &[session, ("sec-fetch-site", "none")], 200, html);
        check(false, "GET", "/?q=guess", &[session, ("referer", "https://A.example/x")], 200, html);
        check(false, "GET", "/a.css?v=1", &[session, foreign], 200, &[("content-type", "text/css")]);
        let public = &[("content-type", "text/html"), ("cache-control", "max-age=1, Public")];
        check(false, "GET", "/?q=guess", &[session, foreign], 200, public);
    }
}

//! Access to the admin listener: the right name, the right token, and a browser only for its own pages.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Method, StatusCode};

use super::config::Config;

/// Said with every response. Nothing is loaded from elsewhere, nothing runs that stands in a page, nobody frames it.
const FIELDS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Lets those through who may read, and adds what every response says.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let mut response = if let Some(refusal) = guard.refuse(&request) {
        refusal
    } else {
        if guard.token.is_some() && guard.is_known(request.headers()) {
            if let Some(admitted) = request.extensions().get::<Admitted>() {
                admitted.set();
            }
        } else if guard.token.is_some() {
            request.extensions_mut().insert(Stranger);
        }
        next.run(request).await
    };
    for (name, value) in FIELDS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Of a request that is answered although the token was not shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stranger;

/// Of a connection: whether the right token was shown on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Admitted(Arc<AtomicBool>);

impl Admitted {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(super) struct Guard {
    hosts: Vec<String>,
    token: Option<String>,
}

impl Guard {
    pub(super) fn new(config: &Config) -> Self {
        let hosts = config.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { hosts, token: config.token.clone() }
    }

    fn refuse(&self, request: &Request) -> Option<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let allow = [(header::ALLOW, HeaderValue::from_static("GET, HEAD"))];
            return Some((StatusCode::METHOD_NOT_ALLOWED, allow, "there is nothing to change here\n").into_response());
        }
        if !self.is_our_name(request) {
            let text = "the admin listener does not go by this name; name it in the setting `admin.hosts`\n";
            return Some((StatusCode::MISDIRECTED_REQUEST, text).into_response());
        }
        // A balancer or an orchestrator asks for it, and learns no more than that the program serves.
        if request.uri().path() != "/health" && !self.is_known(request.headers()) {
            let challenge = HeaderValue::from_static("Basic realm=\"headstart\", charset=\"UTF-8\"");
            let fields = [(header::WWW_AUTHENTICATE, challenge)];
            return Some((StatusCode::UNAUTHORIZED, fields, "a token is needed\n").into_response());
        }
        None
    }

    /// A name can be pointed at any address by whoever owns it; an address in a URL is what it says.
    fn is_our_name(&self, request: &Request) -> bool {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let Ok(authority) = Authority::try_from(host.as_bytes()) else { return false };
        let host = authority.host().to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || self.hosts.iter().any(|known| *known == host || *known == authority.as_str().to_ascii_lowercase())
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, credentials)) = shown.and_then(|shown| shown.split_once(' ')) else { return false };
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return same(credentials.as_bytes(), token.as_bytes());
        }
        // Browsers ask for a password, and send it for the event stream as well. The user name does not matter.
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(pair) = BASE64.decode(credentials.as_bytes())
            && let Some(at) = pair.iter().position(|byte| *byte == b':')
        {
            return same(pair.get(at + 1..).unwrap_or_default(), token.as_bytes());
        }
        false
    }
}

/// Compares in a time that tells nothing of where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |seen, (a, b)| seen | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(config: &Config, fields: &[(&str, &str)]) -> Option<StatusCode> {
        let mut request = Request::get("/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Guard::new(config).refuse(&request.body(axum::body::Body::empty()).unwrap()).map(|response| response.status())
    }

    #[test]
    fn names_that_could_be_anybodys_are_refused() {
        let config = Config { hosts: vec!["Admin.example".into()], ..Config::default() };
        for host in ["localhost", "LOCALHOST:9180", "127.0.0.1:1", "[::1]:9180", "192.0.2.7", "admin.example:9180"] {
            assert_eq!(status(&config, &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a b", "[::1"] {
            assert_eq!(status(&config, &[("host", host)]), Some(StatusCode::MISDIRECTED_REQUEST), "{host}");
        }
        assert_eq!(status(&config, &[]), Some(StatusCode::MISDIRECTED_REQUEST));
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status(&config, &two), Some(StatusCode::MISDIRECTED_REQUEST));
    }

    #[test]
    fn the_token_is_asked_for() {
        let config = Config { token: Some("s3cret:x".into()), ..Config::default() };
        let with = |value: &str| status(&config, &[("host", "localhost"), ("authorization", value)]);
        assert_eq!(status(&config, &[("host", "localhost")]), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(with("Bearer s3cret:x"), None);
        assert_eq!(with(&format!("Basic {}", BASE64.encode(b"anyone:s3cret:x"))), None);
        for wrong in ["Bearer s3cret", "Bearer s3cret:xy", "Bearer", "Basic !", "Basic czNjcmV0", "Digest s3cret:x"] {
            assert_eq!(with(wrong), Some(StatusCode::UNAUTHORIZED), "{wrong}");
        }
    }
}

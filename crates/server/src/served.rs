//! A site as it is served: what answers, and what is said before it is asked.

use std::sync::Arc;

use http::header::{HeaderName, STRICT_TRANSPORT_SECURITY};
use http::{HeaderValue, StatusCode, Uri};

use crate::origin::Origin;
use crate::redirect::Redirect;

/// Below it, a certificate authority looks for what proves that a name is ours (RFC 8555, section 8.3): without TLS.
const ACME: &str = "/.well-known/acme-challenge/";

/// A year, which is what lists of such sites ask for.
const HSTS: (HeaderName, HeaderValue) = (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));

/// A site. Clones share what answers.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) origin: Origin,
    redirects_to_https: bool,
    hsts: bool,
    redirects: Arc<[Redirect]>,
}

impl Served {
    pub(crate) fn new(origin: Origin, redirects_to_https: bool, hsts: bool, redirects: &[Redirect]) -> Self {
        Self { origin, redirects_to_https, hsts, redirects: redirects.into() }
    }

    /// Where a request is sent to in place of an answer. `all` is said of the listener.
    pub(crate) fn redirect(&self, target: &Target<'_>, all: bool) -> Option<(StatusCode, HeaderValue)> {
        let uri = target.uri;
        if (all || self.redirects_to_https) && !target.is_secure && !uri.path().starts_with(ACME) {
            let location = HeaderValue::from_str(&target.over_tls()?).ok()?;
            return Some((StatusCode::PERMANENT_REDIRECT, location));
        }
        let found = self.redirects.iter().find_map(|redirect| {
            let location = redirect.location(uri.path(), uri.query())?;
            Some((redirect.status(), HeaderValue::from_str(&location).ok()?))
        });
        found.filter(|_| !uri.path().starts_with(ACME))
    }

    /// The field that responses over TLS carry.
    pub(crate) fn field(&self, is_secure: bool) -> Option<(HeaderName, HeaderValue)> {
        (self.hsts && is_secure).then_some(HSTS)
    }
}

/// What a request is for.
pub(crate) struct Target<'a> {
    pub(crate) uri: &'a Uri,
    /// As the client wrote it, with its port.
    pub(crate) authority: &'a str,
    /// Whether it came over TLS, here or to a trusted proxy.
    pub(crate) is_secure: bool,
    /// The port of the listener with TLS.
    pub(crate) https_port: u16,
}

impl Target<'_> {
    /// The same over TLS. Who wrote no port came to the usual one, and goes on to the usual one: what stands in front of
    /// this program may have mapped both.
    fn over_tls(&self) -> Option<String> {
        let authority: http::uri::Authority = self.authority.parse().ok()?;
        let host = authority.host();
        let port = match (authority.port(), self.https_port) {
            (None, _) | (_, 443) => String::new(),
            (Some(_), port) => format!(":{port}"),
        };
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        Some(format!("https://{host}{port}{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_over_tls() {
        let over_tls = |authority: &str, https_port: u16| {
            let uri: Uri = "/a?b=c".parse().unwrap();
            Target { uri: &uri, authority, is_secure: false, https_port }.over_tls()
        };
        assert_eq!(over_tls("a.example", 443).as_deref(), Some("https://a.example/a?b=c"));
        assert_eq!(over_tls("a.example", 8443).as_deref(), Some("https://a.example/a?b=c"));
        assert_eq!(over_tls("a.example:8080", 8443).as_deref(), Some("https://a.example:8443/a?b=c"));
        assert_eq!(over_tls("a.example:80", 443).as_deref(), Some("https://a.example/a?b=c"));
        assert_eq!(over_tls("[::1]:80", 443).as_deref(), Some("https://[::1]/a?b=c"));
        assert_eq!(over_tls("a b", 443), None);
    }
}

//! A site as it is served: what answers, and what is said before it is asked.

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, STRICT_TRANSPORT_SECURITY};
use http::{HeaderValue, StatusCode, Uri};

use crate::challenges;
use crate::config::SiteField;
use crate::config::sites::{Content, Site};
use crate::origin::Origin;
use crate::redirect::Redirect;

/// A year, which is what lists of such sites ask for.
const HSTS: (HeaderName, HeaderValue) = (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));

/// A site. Clones share what answers.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) origin: Origin,
    redirects_to_https: bool,
    hsts: bool,
    redirects: Arc<[Redirect]>,
    fields: Arc<[SiteField]>,
    /// Whether what answers says the site's fields itself, as files do.
    says_fields: bool,
}

impl Served {
    pub(crate) fn new(origin: Origin, site: &Site) -> Self {
        let (fields, says_fields) = match &site.content {
            Content::Files(files) => (&files.config.headers, true),
            Content::Upstream(upstream) => (&upstream.fields, false),
        };
        Self {
            origin,
            redirects_to_https: site.https.is_some(),
            hsts: site.hsts,
            redirects: site.redirects.as_slice().into(),
            fields: fields.as_slice().into(),
            says_fields,
        }
    }

    /// The redirect that is answered instead of a page. `all` is said of the listener.
    pub(crate) fn redirect(&self, target: &Target<'_>, all: bool) -> Option<(StatusCode, HeaderValue)> {
        let uri = target.uri;
        if (all || self.redirects_to_https) && !target.is_secure && !uri.path().starts_with(challenges::PATH) {
            let location = HeaderValue::from_str(&target.over_tls()?).ok()?;
            return Some((StatusCode::PERMANENT_REDIRECT, location));
        }
        let found = self.redirects.iter().find_map(|redirect| {
            let location = redirect.location(uri.path(), uri.query())?;
            Some((redirect.status(), HeaderValue::from_str(&location).ok()?))
        });
        found.filter(|_| !uri.path().starts_with(challenges::PATH))
    }

    /// The fields that an answer of the site carries, whatever it is: over an application's own, which the operator
    /// corrects. `is_own` is said of what the site's files or application answer, not of what is said in their place.
    pub(crate) fn fields(&self, path: &str, is_secure: bool, is_own: bool) -> SaidOf {
        let name = path.trim_start_matches('/');
        let wanted = self.fields.iter().filter(|(pattern, ..)| !(is_own && self.says_fields) && pattern.matches(name));
        SaidOf {
            over: wanted.map(|(_, name, value)| (name.clone(), value.clone())).collect(),
            hsts: (self.hsts && is_secure).then_some(HSTS),
        }
    }
}

/// Fields of one response.
#[derive(Debug, Default)]
pub(crate) struct SaidOf {
    over: Vec<(HeaderName, HeaderValue)>,
    hsts: Option<(HeaderName, HeaderValue)>,
}

impl SaidOf {
    /// Writes them.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        for (name, value) in self.over {
            headers.insert(name, value);
        }
        if let Some((name, value)) = self.hsts {
            // A field that the site sets itself is kept.
            headers.entry(name).or_insert(value);
        }
    }
}

/// The target of a request.
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

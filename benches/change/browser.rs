//! A client: its address, its cache, its cookie, and the connection that it has.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use headstart::policy::{Client as Settings, Policy, Pushes};
use headstart::{ConnectionPolicy, Decided, Headstart, PolicyExchange};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, request, response};
use http_body::SizeHint;

/// The authority of the simulated site.
pub(crate) const AUTHORITY: &str = "www.example.org";

const DESKTOP: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
const PHONE: &str =
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36";

/// The nature of a browser, apart from its history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) address: Ipv4Addr,
    pub(crate) phone: bool,
    pub(crate) keeps_cookies: bool,
}

/// A browser. Its cache keeps all that it has fetched.
pub(crate) struct Browser {
    kind: Kind,
    cookie: Option<HeaderValue>,
    cache: HashSet<Rc<str>>,
    connection: Option<ConnectionPolicy>,
    /// Steps of its views that are to come; with none its connection closes.
    pub(crate) pending: u32,
    /// Whether it comes again.
    pub(crate) returns: bool,
}

/// The interim response to a navigation.
pub(crate) struct Opened {
    pub(crate) exchange: PolicyExchange,
    /// Filled in once the head has gone out.
    pub(crate) decided: Decided,
    /// The paths that the 103 names.
    pub(crate) hinted: Vec<Rc<str>>,
}

impl Browser {
    pub(crate) fn new(kind: Kind, returns: bool) -> Self {
        Browser { kind, cookie: None, cache: HashSet::new(), connection: None, pending: 0, returns }
    }

    pub(crate) fn holds(&self, path: &str) -> bool {
        self.cache.contains(path)
    }

    pub(crate) fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Asks for a page.
    pub(crate) fn navigate(&mut self, headstart: &Headstart, page: &str) -> Opened {
        let mut head = self.head(Method::GET, page, &NAVIGATION, None);
        let opening = self.connection(headstart).request(Settings::new(false), &mut head);
        let links = opening.early_hints.unwrap_or_default();
        let path = |link: &HeaderValue| Some(Rc::from(link.to_str().ok()?.split(['<', '>']).nth(1)?));
        let hinted = links.get_all(header::LINK).iter().filter_map(path).collect();
        let decided = head.extensions.remove::<Decided>().unwrap_or_default();
        Opened { exchange: opening.exchange, decided, hinted }
    }

    /// Sends a form to a page, which answers with one of its own.
    pub(crate) fn post(&mut self, headstart: &Headstart, page: &str) -> PolicyExchange {
        let mut head = self.head(Method::POST, page, &NAVIGATION, None);
        self.connection(headstart).request(Settings::new(false), &mut head).exchange
    }

    /// The browser gets the page that it asked for.
    pub(crate) fn show(
        &mut self,
        headstart: &Headstart,
        exchange: &mut PolicyExchange,
        referrer_policy: Option<&'static str>,
    ) {
        let mut html = answer(StatusCode::OK, "text/html", "private, no-cache");
        if let Some(policy) = referrer_policy {
            html.headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(policy));
        }
        let connection = self.connection(headstart);
        let pushes = connection.response(exchange, &mut html, &SizeHint::with_exact(20_000));
        assert!(matches!(pushes, Pushes::Keep(more) if more.is_empty()), "browsers take no pushes");
        connection.commit(exchange, &mut html, &[]);
        if let Some(field) = html.headers.get(header::SET_COOKIE).filter(|_| self.kind.keeps_cookies) {
            let pair = field.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            self.cookie = HeaderValue::from_bytes(pair).ok();
        }
    }

    /// Asks for an asset, whose head comes at once. `found` says whether the server has it.
    pub(crate) fn fetch(
        &mut self,
        headstart: &Headstart,
        path: &Rc<str>,
        referer: Option<&str>,
        found: bool,
    ) -> PolicyExchange {
        let (destination, media, urgency) = describe(path);
        let fields =
            [("accept", "*/*"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", destination), ("priority", urgency)];
        let mut head = self.head(Method::GET, path, &fields, referer);
        let mut response = if found {
            answer(StatusCode::OK, media, "public, max-age=31536000, immutable")
        } else {
            answer(StatusCode::NOT_FOUND, "text/plain", "no-cache")
        };
        let connection = self.connection(headstart);
        let mut exchange = connection.request(Settings::new(false), &mut head).exchange;
        connection.response(&mut exchange, &mut response, &SizeHint::with_exact(8_000));
        connection.commit(&mut exchange, &mut response, &[]);
        if found {
            self.cache.insert(Rc::clone(path));
        }
        exchange
    }

    /// The last byte of a response has come.
    pub(crate) fn end(&mut self, headstart: &Headstart, exchange: PolicyExchange) {
        self.connection(headstart).ended(exchange, true);
    }

    fn connection(&mut self, headstart: &Headstart) -> &mut ConnectionPolicy {
        let remote = (IpAddr::V4(self.kind.address), 443);
        self.connection.get_or_insert_with(|| headstart.policy(remote.into()))
    }

    fn head(
        &self,
        method: Method,
        path: &str,
        fields: &[(&'static str, &'static str)],
        referer: Option<&str>,
    ) -> request::Parts {
        let request = Request::builder().method(method).uri(format!("https://{AUTHORITY}{path}")).body(());
        let mut head = request.expect("a path of the simulation").into_parts().0;
        let headers: &mut HeaderMap = &mut head.headers;
        headers.insert(header::USER_AGENT, HeaderValue::from_static(if self.kind.phone { PHONE } else { DESKTOP }));
        for (name, value) in fields {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let referer = referer.and_then(|page| HeaderValue::try_from(format!("https://{AUTHORITY}{page}")).ok());
        headers.extend(referer.map(|referer| (header::REFERER, referer)));
        headers.extend(self.cookie.clone().map(|cookie| (header::COOKIE, cookie)));
        head
    }
}

const NAVIGATION: [(&str, &str); 3] =
    [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

/// How Chromium asks for a file with this name: destination and priority; and its media type.
fn describe(path: &str) -> (&'static str, &'static str, &'static str) {
    let name = path.split('?').next().unwrap_or_default();
    match name.rsplit('.').next() {
        Some("css") => ("style", "text/css", "u=0"),
        Some("js") => ("script", "text/javascript", "u=1"),
        Some("woff2") => ("font", "font/woff2", "u=1"),
        _ => ("image", "image/png", "u=3, i"),
    }
}

fn answer(status: StatusCode, media: &'static str, caching: &'static str) -> response::Parts {
    let mut response = Response::new(()).into_parts().0;
    response.status = status;
    response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
    response.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

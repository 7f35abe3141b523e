//! A client that drives the policy of its connection as the h2 driver does, and keeps cookies.

use headstart::policy::{Client as Settings, Policy, Pushes};
use headstart::{ConnectionPolicy, Headstart};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, response};
use http_body::SizeHint;

pub(crate) struct Client {
    policy: ConnectionPolicy,
    authority: String,
    fields: HeaderMap,
    pub(crate) cookie: Option<HeaderValue>,
}

/// The early delivery for a page.
pub(crate) struct Shown {
    /// The `Link` fields of the 103.
    hints: Vec<String>,
}

impl Shown {
    /// The paths of the hinted assets.
    pub(crate) fn paths(&self) -> Vec<String> {
        let path = |hint: &String| hint.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        self.hints.iter().map(path).collect()
    }

    pub(crate) fn hints(&self, path: &str) -> bool {
        self.hints.iter().any(|hint| hint.starts_with(&format!("<{path}>")))
    }
}

/// A response head.
pub(crate) fn answer(status: u16, media: &str) -> response::Parts {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(header::CONTENT_TYPE, media.parse().unwrap());
    response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"1\""));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response.into_parts().0
}

impl Client {
    /// A browser at this address, which asks for `https://a.example`.
    pub(crate) fn new(headstart: &Headstart, address: &str) -> Self {
        let policy = headstart.policy((address.parse::<std::net::IpAddr>().unwrap(), 443).into());
        let mut client = Client { policy, authority: "a.example".to_owned(), fields: HeaderMap::new(), cookie: None };
        client.set("user-agent", "Test/1.0");
        client
    }

    /// Sends this field with each request.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.fields.insert(HeaderName::from_static(name), value.parse().unwrap());
    }

    /// The same browser on another network: a new connection, with the cookies that it has.
    pub(crate) fn moved(&self, headstart: &Headstart, address: &str) -> Self {
        let moved = Client::new(headstart, address);
        Client { fields: self.fields.clone(), cookie: self.cookie.clone(), ..moved }
    }

    /// The same browser, which asks for another site.
    pub(crate) fn at(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    fn head(&self, path: &str, fields: &[(&'static str, &str)]) -> http::request::Parts {
        let mut request = Request::get(format!("https://{}{path}", self.authority)).body(()).unwrap();
        *request.headers_mut() = self.fields.clone();
        for (name, value) in fields {
            request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.clone());
        }
        request.into_parts().0
    }

    /// Asks for a page, which is answered with HTML that caches keep to themselves.
    pub(crate) fn navigate(&mut self, page: &str) -> Shown {
        let mut html = answer(200, "text/html");
        html.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        self.navigate_to(page, html)
    }

    pub(crate) fn navigate_to(&mut self, page: &str, mut html: response::Parts) -> Shown {
        let fields = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("accept", "text/html")];
        let mut head = self.head(page, &fields);
        let opening = self.policy.request(Settings::new(false), &mut head);
        let mut exchange = opening.exchange;
        if let Pushes::Keep(more) = self.policy.response(&mut exchange, &mut html, &SizeHint::with_exact(5_000)) {
            assert!(more.is_empty(), "the client takes no pushes");
        }
        self.policy.commit(&mut exchange, &mut html, &[]);
        self.policy.ended(exchange, true);
        if let Some(cookie) = html.headers.get(header::SET_COOKIE) {
            let pair = cookie.as_bytes().split(|byte| *byte == b';').next().unwrap();
            self.cookie = Some(HeaderValue::from_bytes(pair).unwrap());
        }
        let links = opening.early_hints.unwrap_or_default();
        let hints = links.get_all(header::LINK).iter().map(|link| link.to_str().unwrap().to_owned()).collect();
        Shown { hints }
    }

    /// Asks for an asset of a page.
    pub(crate) fn fetch(&mut self, page: &str, asset: &str, response: response::Parts) {
        self.fetch_with(page, asset, &[], response);
    }

    pub(crate) fn fetch_with(
        &mut self,
        page: &str,
        asset: &str,
        fields: &[(&'static str, &str)],
        response: response::Parts,
    ) {
        let referer = format!("https://{}{page}", self.authority);
        let mut all = vec![("referer", referer.as_str())];
        all.extend_from_slice(fields);
        self.ask(asset, &all, response);
    }

    pub(crate) fn fetch_without_referer(&mut self, asset: &str, response: response::Parts) {
        self.ask(asset, &[], response);
    }

    /// Sends a form to a page.
    pub(crate) fn post(&mut self, page: &str) {
        let fields = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let mut head = self.head(page, &fields);
        head.method = http::Method::POST;
        self.exchange(head, answer(200, "text/html"));
    }

    fn ask(&mut self, asset: &str, fields: &[(&'static str, &str)], response: response::Parts) {
        let mut all = vec![("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "style")];
        all.extend_from_slice(fields);
        let head = self.head(asset, &all);
        self.exchange(head, response);
    }

    fn exchange(&mut self, mut head: http::request::Parts, mut response: response::Parts) {
        let mut exchange = self.policy.request(Settings::new(false), &mut head).exchange;
        self.policy.response(&mut exchange, &mut response, &SizeHint::with_exact(1_000));
        self.policy.commit(&mut exchange, &mut response, &[]);
        self.policy.ended(exchange, true);
    }

    /// Views a page and fetches its stylesheets.
    pub(crate) fn visit(&mut self, page: &str, assets: &[&str]) -> Shown {
        let shown = self.navigate(page);
        for asset in assets {
            self.fetch(page, asset, answer(200, "text/css"));
        }
        shown
    }
}

/// Whether anybody is told of an asset of a page now, once all open visits are learned.
pub(crate) fn is_hinted(headstart: &Headstart, page: &str, asset: &str) -> bool {
    headstart.finish();
    Client::new(headstart, "100.64.0.1").navigate(page).hints(asset)
}

/// An engine with a fixed key and no hold-outs.
pub(crate) fn engine(settings: impl FnOnce(headstart::Builder) -> headstart::Builder) -> Headstart {
    settings(Headstart::builder().holdout(0).secret([7; 32])).build().unwrap()
}

//! Any `Link` fields of a page: what is promised and hinted of them is an asset of this site, and the fields that go out are
//! bounded and can be sent.

use std::sync::LazyLock;

use headstart::Headstart;
use headstart::policy::{Attempt, Client, Policy};
use http::header::{self, HeaderValue};
use http::{Request, Response};
use http_body::SizeHint;

static HEADSTART: LazyLock<Headstart> =
    LazyLock::new(|| Headstart::builder().min_networks(1).holdout(0).secret([7; 32]).build().expect("in range"));

/// One input: the fields, a line each.
///
/// # Panics
///
/// If something else is named.
pub fn run(bytes: &[u8]) {
    for push in [false, true] {
        let mut policy = HEADSTART.policy(([192, 0, 2, 1], 443).into());
        let request = Request::get("https://a.example/dir/page")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("accept", "text/html");
        let (mut request, ()) = request.body(()).expect("a request").into_parts();
        let (mut response, ()) = Response::new(()).into_parts();
        response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        let lines = bytes.split(|byte| *byte == b'\n').take(32);
        for value in lines.filter_map(|line| HeaderValue::from_bytes(line).ok()) {
            response.headers.append(header::LINK, value);
        }
        let own = response.headers.get_all(header::LINK).iter().count();
        let opening = policy.request(Client::new(push), &mut request);
        let mut exchange = opening.exchange;
        let promises = match policy.response(&mut exchange, &mut response, &SizeHint::new()) {
            headstart::policy::Pushes::Drop => Vec::new(),
            headstart::policy::Pushes::Keep(promises) => promises,
        };
        assert!(promises.len() <= 16);
        for promise in &promises {
            let path = promise.path.as_str();
            assert!(path.starts_with('/') && !path.starts_with("//") && path != "/dir/page", "{path}");
        }
        let attempts: Vec<_> =
            promises.into_iter().map(|promise| Attempt { tag: promise.tag, refusal: None }).collect();
        policy.commit(&mut exchange, &mut response, &attempts);
        let fields: Vec<_> = response.headers.get_all(header::LINK).iter().collect();
        let added: usize = fields.iter().skip(own).map(|field| field.len()).sum();
        assert!(added <= 4096, "{added} bytes");
        assert!(fields.iter().skip(own).all(|field| field.to_str().is_ok()));
        policy.ended(exchange, true);
    }
}

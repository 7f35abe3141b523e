//! What a request costs the engine, without sockets: classify, plan, subtract, decide, write the head.
//!
//! `cargo bench -p headstart --bench decide`. One connection's policy is driven as the h2 driver drives it. Each
//! case checks what was decided.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use headstart::Headstart;
use headstart::policy::{Attempt, Client, Policy, Pushes};
use http::{HeaderValue, Request, Response, header, request, response};
use http_body::SizeHint;

const ASSETS: usize = 12;

/// An engine that has learned a page of [`ASSETS`] assets.
fn taught() -> Headstart {
    let builder = Headstart::builder().min_networks(1).holdout(0).secret([7; 32]);
    let headstart = builder.build().expect("the settings are in range");
    for _ in 0..3 {
        let mut policy = headstart.policy(([192, 0, 2, 1], 443).into());
        let page = policy.request(Client::new(false), &mut head("/", None)).exchange;
        let mut exchanges = vec![(page, answer("text/html"))];
        for n in 0..ASSETS {
            let asset = policy.request(Client::new(false), &mut head(&format!("/{n}.css"), None)).exchange;
            exchanges.push((asset, answer("text/css")));
        }
        for (mut exchange, mut response) in exchanges {
            policy.response(&mut exchange, &mut response, &SizeHint::with_exact(1000));
            policy.ended(exchange, true);
        }
    }
    headstart.finish();
    headstart
}

fn head(path: &str, cookie: Option<&HeaderValue>) -> request::Parts {
    let mut request = Request::get(format!("https://a.example{path}")).body(()).expect("a path");
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("bench/1.0"));
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, cookie.clone());
    }
    request.into_parts().0
}

fn answer(media: &'static str) -> response::Parts {
    let mut response = Response::new(());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"1\""));
    response.into_parts().0
}

/// A view of the page by a client that takes pushes; how many were promised, and the cookie it was given.
fn view(policy: &mut impl Policy, cookie: Option<&HeaderValue>) -> (usize, Option<HeaderValue>) {
    let opening = policy.request(Client::new(true), &mut head("/", cookie));
    let (mut exchange, promises) = (opening.exchange, opening.promises);
    let mut page = answer("text/html");
    let kept = policy.response(&mut exchange, &mut page, &SizeHint::with_exact(5000));
    assert!(matches!(kept, Pushes::Keep(more) if more.is_empty()));
    let mut attempts = Vec::with_capacity(promises.len());
    for promise in &promises {
        if policy.admit(&mut exchange, promise, &mut answer("text/css"), &SizeHint::with_exact(1000)) {
            attempts.push(Attempt { tag: promise.tag.clone(), refusal: None });
        }
    }
    policy.commit(&mut exchange, &mut page, &attempts);
    policy.ended(exchange, true);
    (attempts.len(), page.headers.remove(header::SET_COOKIE))
}

fn decide(criterion: &mut Criterion) {
    let headstart = taught();
    let connect = || headstart.policy(([192, 0, 2, 1], 443).into());
    let (pushed, set_cookie) = view(&mut connect(), None);
    assert_eq!(pushed, ASSETS);
    let set_cookie = set_cookie.expect("a cookie for what was pushed");
    let pair = set_cookie.to_str().ok().and_then(|field| field.split(';').next()).expect("a pair");
    let cookie = HeaderValue::from_str(pair).expect("what was read");

    criterion.bench_function("connect, and a view that is pushed 12 assets", |bencher| {
        bencher.iter(|| assert_eq!(view(&mut connect(), None).0, ASSETS));
    });
    criterion.bench_function("connect, and a view that holds all 12 by cookie", |bencher| {
        bencher.iter(|| assert_eq!(view(&mut connect(), Some(&cookie)).0, 0));
    });
    criterion.bench_function("a request that is no page and no asset", |bencher| {
        let mut policy = connect();
        let mut api = head("/api", None);
        api.method = http::Method::POST;
        bencher.iter(|| {
            let opening = policy.request(Client::new(true), &mut api);
            assert!(opening.promises.is_empty());
            policy.ended(black_box(opening.exchange), true);
        });
    });
}

criterion_group!(benches, decide);
criterion_main!(benches);

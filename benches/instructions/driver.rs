//! Requests through the driver alone, with a service that answers at once.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::{Pin, pin};

use bytes::Bytes;
use headstart_h2::{Config, RequestBody, serve_connection_with};
use headstart_policy::{self as policy, Opening, Policy, Promise};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, request};

use crate::client::{Received, connect};

/// Rounds before anything is counted, and those that are.
const WARM: usize = 20;
pub(crate) const ROUNDS: usize = 100;
/// Pushes of a page.
pub(crate) const PUSHES: usize = 10;
const PUSHED_BYTES: usize = 3_000;

type Body = http_body_util::Full<Bytes>;

/// What is counted.
#[inline(never)]
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// `ROUNDS` requests for a body of so many bytes.
pub(crate) fn body(bytes: usize) {
    let expected = Received { heads: 1, promises: 0, data_bytes: bytes, ended: 1 };
    run(false, (), &format!("/{bytes}"), &[], expected);
}

/// `ROUNDS` pages, each with `PUSHES` pushes.
pub(crate) fn pushes() {
    let expected =
        Received { heads: 1 + PUSHES, promises: PUSHES, data_bytes: PUSHES * PUSHED_BYTES + 100, ended: 1 + PUSHES };
    run(true, Pusher, "/100", &[], expected);
}

/// `ROUNDS` of one request, each answered as expected.
pub(crate) fn run(push: bool, policy: impl Policy, path: &str, fields: &[(&str, &str)], expected: Received) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (mut client, pipe) = connect(push);
        let body: Bytes = vec![b'x'; 1_000_000].into();
        let service = tower::service_fn(move |request: Request<RequestBody>| {
            let response = answer(&body, request.uri().path());
            async move { Ok::<_, Infallible>(response) }
        });
        let mut connection = pin!(serve_connection_with(unlimited(), pipe, service, policy));
        poll_once(connection.as_mut()).await;
        client.acknowledge();
        for round in 0..WARM + ROUNDS {
            client.get(path, fields);
            let mut received = Received::default();
            while received.ended < expected.ended {
                if round < WARM {
                    poll_once(connection.as_mut()).await;
                } else {
                    poll_fn(|cx| {
                        let polled = measured(|| connection.as_mut().poll(cx));
                        assert!(polled.is_pending(), "the connection goes on: {polled:?}");
                        std::task::Poll::Ready(())
                    })
                    .await;
                }
                received = sum(received, client.take());
            }
            assert_eq!(received, expected, "round {round}");
        }
    });
}

async fn poll_once(mut connection: Pin<&mut impl Future<Output: std::fmt::Debug>>) {
    poll_fn(|cx| {
        let polled = connection.as_mut().poll(cx);
        assert!(polled.is_pending(), "the connection goes on: {polled:?}");
        std::task::Poll::Ready(())
    })
    .await;
}

fn sum(a: Received, b: Received) -> Received {
    Received {
        heads: a.heads + b.heads,
        promises: a.promises + b.promises,
        data_bytes: a.data_bytes + b.data_bytes,
        ended: a.ended + b.ended,
    }
}

/// The path says how many bytes.
fn answer(body: &Bytes, path: &str) -> Response<Body> {
    let first = path.split('/').nth(1).and_then(|part| part.parse().ok());
    let (bytes, media) = match first {
        Some(bytes) if path.ends_with(".css") => (bytes, "text/css"),
        Some(bytes) => (bytes, "text/html"),
        None => (PUSHED_BYTES, "text/css"),
    };
    let mut response = Response::new(Body::new(body.slice(..bytes)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    headers.insert(ETAG, HeaderValue::from_static("\"one\""));
    response
}

/// The limits are those of `Config`, but for the budgets that a benchmark exhausts and the times that valgrind takes.
fn unlimited() -> Config {
    let hour = std::time::Duration::from_secs(3600);
    let mut config = Config::default();
    config.handshake_timeout = hour;
    config.header_timeout = hour;
    config.idle_timeout = hour;
    config.write_stall_timeout = hour;
    config.promise_ahead_after = None;
    config.push_patience = hour;
    config.max_diary_entries = 0;
    config.max_pushed_bytes = u64::MAX;
    config
}

/// Pushes the same with each page.
struct Pusher;

impl Policy for Pusher {
    type Exchange = ();
    type Tag = usize;

    fn request(&mut self, client: policy::Client, _: &mut request::Parts) -> Opening<(), usize> {
        let mut opening = Opening::new(());
        if client.push {
            opening.promises = (0..PUSHES).map(promise).collect();
        }
        opening
    }
}

fn promise(number: usize) -> Promise<usize> {
    let path = PathAndQuery::try_from(format!("/pushed/{number}")).expect("a path");
    Promise { path, headers: HeaderMap::new(), priority: None, tag: number }
}

//! Requests on one connection, and the cases of the driver alone.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use headstart_benches::callgrind::measured;
use headstart_benches::in_memory::{Received, connect};
use headstart_h2::{Config, HttpBody, HttpService, RequestBody, serve_connection_with};
use headstart_policy::{self as policy, Opening, Policy, Promise};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, request};
use http_body_util::Full;

/// Rounds before anything is counted, and those that are.
pub(crate) const WARM: usize = 20;
pub(crate) const ROUNDS: usize = 100;
/// Pushes of a page.
pub(crate) const PUSHES: usize = 10;
const PUSHED_BYTES: usize = 3_000;

/// Bodies of so many bytes.
pub(crate) fn body(bytes: usize) {
    let expected = Received { heads: 1, data_bytes: bytes, ended: 1, ..Received::default() };
    run(false, (), sized, &format!("/{bytes}"), &[], expected);
}

/// Pages of 100 B, each with `PUSHES` pushes.
pub(crate) fn pushes() {
    let data_bytes = PUSHES * PUSHED_BYTES + 100;
    let expected = Received { heads: 1 + PUSHES, promises: PUSHES, data_bytes, ended: 1 + PUSHES };
    run(true, Pusher, sized, "/100", &[], expected);
}

/// Sends one request `WARM + ROUNDS` times, each of which has to be answered as expected.
pub(crate) fn run<S: HttpService<B>, B: HttpBody>(
    push: bool,
    policy: impl Policy,
    service: impl FnOnce() -> S,
    path: &str,
    fields: &[(&str, &str)],
    expected: Received,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (mut client, pipe) = connect(push);
        let mut connection = pin!(serve_connection_with(config(), pipe, service(), policy));
        poll_fn(|cx| {
            assert!(connection.as_mut().poll(cx).is_pending(), "a handshake");
            Poll::Ready(())
        })
        .await;
        client.acknowledge();
        for round in 0..WARM + ROUNDS {
            client.get(path, fields);
            let mut received = Received::default();
            poll_fn(|cx| {
                let mut poll = || connection.as_mut().poll(cx);
                let polled = if round < WARM { poll() } else { measured(poll) };
                assert!(polled.is_pending(), "the connection goes on: {polled:?}");
                received = received + client.take();
                if received.ended < expected.ended { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            assert_eq!(received, expected, "round {round}");
        }
    });
}

/// A service whose paths begin with the number of bytes of their body, and are pushed assets if they do not.
pub(crate) fn sized() -> impl HttpService<Full<Bytes>> {
    let bytes: Bytes = vec![b'x'; 1_000_000].into();
    tower::service_fn(move |request: Request<RequestBody>| {
        let response = answer(&bytes, request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    })
}

pub(crate) fn answer(bytes: &Bytes, path: &str) -> Response<Full<Bytes>> {
    let count = path.split('/').nth(1).and_then(|part| part.parse().ok()).unwrap_or(PUSHED_BYTES);
    let media = if path.rsplit('.').next() == Some("css") { "text/css" } else { "text/html" };
    let mut response = Response::new(Full::new(bytes.slice(..count)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    headers.insert(ETAG, HeaderValue::from_static("\"one\""));
    response
}

/// The default limits, but for the budgets that a benchmark exhausts and the time that valgrind takes.
fn config() -> Config {
    let hour = Duration::from_secs(3600);
    let mut config = Config::default();
    config.max_diary_entries = 0;
    config.max_pushed_bytes = u64::MAX;
    config.handshake_timeout = hour;
    config.header_timeout = hour;
    config.idle_timeout = hour;
    config.write_stall_timeout = hour;
    config.promise_ahead_after = None;
    config.push_patience = hour;
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

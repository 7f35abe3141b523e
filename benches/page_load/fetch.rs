//! One request, or one promised response, from its head to its last byte; what happens is told as events.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{PushPromises, PushedResponseFuture, ResponseFuture};
use http::{HeaderMap, StatusCode, response};
use tokio::sync::mpsc::UnboundedSender;

/// An event of a fetch.
pub(crate) enum Event {
    /// A 103 to the page's request.
    Hints(HeaderMap),
    /// A promise on the page's request.
    Promised(String, PushedResponseFuture),
    /// Bytes of a body; how many there are so far.
    Came(String, usize),
    Done(Done),
    Failed(String, String),
}

/// A response that is complete.
pub(crate) struct Done {
    pub(crate) path: String,
    pub(crate) head: response::Parts,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
}

/// Waits for the response to the client's own request.
pub(crate) async fn requested(path: String, mut response: ResponseFuture, events: UnboundedSender<Event>) {
    let mut promises = response.push_promises();
    let head = poll_fn(|cx| {
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
            if interim.status() == StatusCode::EARLY_HINTS {
                tell(&events, Event::Hints(interim.headers().clone()));
            }
        }
        poll_promises(&mut promises, cx, &events);
        std::pin::Pin::new(&mut response).poll(cx)
    });
    match head.await {
        Ok(response) => body(path, response, Some(promises), &events).await,
        Err(error) => tell(&events, Event::Failed(path, error.to_string())),
    }
}

/// Waits for a promised response.
pub(crate) async fn promised(path: String, response: PushedResponseFuture, events: UnboundedSender<Event>) {
    match response.await {
        Ok(response) => body(path, response, None, &events).await,
        Err(error) => tell(&events, Event::Failed(path, error.to_string())),
    }
}

async fn body(
    path: String,
    response: http::Response<RecvStream>,
    mut promises: Option<PushPromises>,
    events: &UnboundedSender<Event>,
) {
    let (head, mut stream_body) = response.into_parts();
    let mut body = Vec::new();
    loop {
        let chunk = poll_fn(|cx| {
            if let Some(promises) = &mut promises {
                poll_promises(promises, cx, events);
            }
            stream_body.poll_data(cx)
        });
        match chunk.await {
            Some(Ok(chunk)) => {
                body.extend_from_slice(&chunk);
                tell(events, Event::Came(path.clone(), body.len()));
                // The windows are as large as a browser's; a connection that has ended has none to give back.
                let _ = stream_body.flow_control().release_capacity(chunk.len());
            }
            Some(Err(error)) => return tell(events, Event::Failed(path, error.to_string())),
            None => break,
        }
    }
    let done = Done { path, head, body: body.into(), at: Instant::now() };
    tell(events, Event::Done(done));
}

fn poll_promises(promises: &mut PushPromises, cx: &mut std::task::Context<'_>, events: &UnboundedSender<Event>) {
    while let Poll::Ready(Some(Ok(promise))) = promises.poll_push_promise(cx) {
        let (request, response) = promise.into_parts();
        tell(events, Event::Promised(request.uri().path().to_owned(), response));
    }
}

/// A load that has ended listens no more.
fn tell(events: &UnboundedSender<Event>, event: Event) {
    let _ = events.send(event);
}

//! The responses to a page's promises, while the service works on them.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use headstart_policy::{Promise, Pushed, Refusal};
use http::uri::{Authority, Scheme};
use http::{Method, Request, Response, Uri, Version, header};

use crate::body::RequestBody;
use crate::call::call;
use crate::head;
use crate::service::HttpService;

/// The response to a promise that is not made yet.
pub(crate) struct Resolved<T, B> {
    /// The promise's place in the order of need.
    pub(crate) rank: usize,
    pub(crate) promise: Promise<T>,
    pub(crate) result: Result<(Request<()>, Response<B>), Refusal>,
}

/// The responses to a page's promises, as they become ready.
pub(crate) struct PendingPushes<T, B> {
    /// Made for the first promise: most exchanges have none.
    pending: Option<FuturesUnordered<BoxFuture<'static, Resolved<T, B>>>>,
    done: Vec<Resolved<T, B>>,
    /// The tags of promises that were asked for and not taken yet, so that late ones can be named.
    asked: Vec<Option<T>>,
}

/// The scheme and authority of a page: a push has the same (RFC 9113, section 8.4).
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Option<Authority>,
}

impl<T: Clone + Send + 'static, B: Send + 'static> PendingPushes<T, B> {
    pub(crate) fn new() -> Self {
        PendingPushes { pending: None, done: Vec::new(), asked: Vec::new() }
    }

    /// Asks the service for a promise, and takes its response if that is ready at once. A promise that may not be promised is refused without asking: `h2` 0.4.20 leaks
    /// a stream for each promise that it refuses itself.
    pub(crate) fn ask<S: HttpService<B>>(
        &mut self,
        cx: &mut Context<'_>,
        service: &S,
        origin: &Origin,
        promise: Promise<T>,
    ) {
        let rank = self.asked.len();
        self.asked.push(Some(promise.tag.clone()));
        let Some(request) = promised_request(origin, &promise) else {
            self.done.push(Resolved { rank, promise, result: Err(Refusal::Invalid) });
            return;
        };
        let (mut parts, ()) = request.clone().into_parts();
        parts.extensions.insert(Pushed);
        let mut call = call(service, cx, Request::from_parts(parts, RequestBody::empty()));
        let resolve = move |response: Option<Response<B>>| {
            let result = response.map(|response| (request, response)).ok_or(Refusal::Failed);
            Resolved { rank, promise, result }
        };
        match call.poll_unpin(cx) {
            Poll::Ready(response) => self.done.push(resolve(response)),
            // It is polled again, and wakes this task, when `poll` is called for the first time.
            Poll::Pending => self.pending.get_or_insert_default().push(call.map(resolve).boxed()),
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.pending.as_ref().is_none_or(FuturesUnordered::is_empty)
    }

    /// Collects what has become ready.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(pending) = &mut self.pending {
            while let Poll::Ready(Some(resolved)) = pending.poll_next_unpin(cx) {
                self.done.push(resolved);
            }
        }
    }

    /// Waits until all is ready or `patience` has run out.
    pub(crate) async fn settle(mut self, patience: Duration) -> Self {
        let all = poll_fn(|cx| {
            self.poll(cx);
            if self.is_settled() { Poll::Ready(()) } else { Poll::Pending }
        });
        // `finish` names what is late.
        let _ = tokio::time::timeout(patience, all).await;
        self
    }

    /// Whether nothing was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Whether something is ready to be taken.
    pub(crate) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// Takes what is ready, in order of need.
    pub(crate) fn take_done(&mut self) -> Vec<Resolved<T, B>> {
        let mut done = std::mem::take(&mut self.done);
        done.sort_by_key(|resolved| resolved.rank);
        for resolved in &done {
            if let Some(asked) = self.asked.get_mut(resolved.rank) {
                *asked = None;
            }
        }
        done
    }

    /// Takes what is ready, in order of need, and the tags of the rest.
    pub(crate) fn finish(mut self) -> (Vec<Resolved<T, B>>, Vec<T>) {
        let done = self.take_done();
        (done, self.asked.into_iter().flatten().collect())
    }
}

fn promised_request<T>(origin: &Origin, promise: &Promise<T>) -> Option<Request<()>> {
    let path = promise.path.as_str();
    if !path.starts_with('/') || path.starts_with("//") {
        return None;
    }
    let uri = Uri::builder()
        .scheme(origin.scheme.clone())
        .authority(origin.authority.clone()?)
        .path_and_query(promise.path.clone())
        .build()
        .ok()?;
    let mut request = Request::new(());
    *request.method_mut() = Method::GET;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri;
    *request.headers_mut() = promise.headers.clone();
    head::remove_hop_by_hop(request.headers_mut());
    // A promise has no content (RFC 9113, section 8.4), and no credentials of the page's client.
    for name in [header::CONTENT_LENGTH, header::COOKIE, header::AUTHORIZATION] {
        // Looking a name up costs more than looking at the few that are there.
        if request.headers().keys().any(|present| *present == name) {
            request.headers_mut().remove(name);
        }
    }
    Some(request)
}

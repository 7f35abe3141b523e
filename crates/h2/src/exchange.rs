//! One exchange up to its response head: the service is asked for the page and, beside it, for what is pushed.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, poll_fn};
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::server::SendResponse;
use headstart_policy::{Promise, Pushed, Refusal};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri, Version};
use tower::util::Oneshot;

use crate::body::RequestBody;
use crate::head;
use crate::interim::Interim;
use crate::service::HttpService;

/// The response to one promise, not promised yet.
pub(crate) struct Resolved<T, B> {
    /// Its place among the page's promises: the order of need.
    pub(crate) rank: usize,
    pub(crate) promise: Promise<T>,
    pub(crate) result: Result<(Request<()>, Response<B>), Refusal>,
}

/// The responses to a page's promises, as they become ready.
pub(crate) struct Resolving<T, B> {
    /// Made for the first promise: most exchanges have none.
    pending: Option<FuturesUnordered<BoxFuture<'static, Resolved<T, B>>>>,
    done: Vec<Resolved<T, B>>,
    /// What was asked for and not taken yet, so that what is not ready can be named.
    asked: Vec<Option<T>>,
}

/// What an exchange has come to when its page is ready.
pub(crate) struct Answer<T, B> {
    pub(crate) respond: SendResponse<Bytes>,
    pub(crate) interim: Arc<Interim>,
    /// `None` if the service failed or panicked.
    pub(crate) response: Option<Response<B>>,
    pub(crate) pushes: Resolving<T, B>,
}

/// The authority and scheme of a page: a push has the same (RFC 9113, section 8.4).
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Option<Authority>,
}

impl<T: Clone + Send + 'static, B: Send + 'static> Resolving<T, B> {
    pub(crate) fn new() -> Self {
        Resolving { pending: None, done: Vec::new(), asked: Vec::new() }
    }

    /// Asks the service for a promise. One that may not be promised is refused without asking: `h2` 0.4.20 leaks
    /// a stream for each promise that it refuses itself.
    pub(crate) fn ask<S: HttpService<B>>(&mut self, service: &S, origin: &Origin, promise: Promise<T>) {
        let rank = self.asked.len();
        self.asked.push(Some(promise.tag.clone()));
        let Some(request) = promised_request(origin, &promise) else {
            self.done.push(Resolved { rank, promise, result: Err(Refusal::Invalid) });
            return;
        };
        let (mut parts, ()) = request.clone().into_parts();
        parts.extensions.insert(Pushed);
        let call = call_later(service.clone(), Request::from_parts(parts, RequestBody::empty()));
        let resolved = call.map(move |response| {
            let result = response.map(|response| (request, response)).ok_or(Refusal::Failed);
            Resolved { rank, promise, result }
        });
        self.pending.get_or_insert_default().push(resolved.boxed());
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.pending.as_ref().is_none_or(FuturesUnordered::is_empty)
    }

    /// Takes what has become ready.
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
        // What is late is told apart by `finish`.
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

    /// What is ready in order of need, and the names of the rest.
    pub(crate) fn finish(mut self) -> (Vec<Resolved<T, B>>, Vec<T>) {
        let done = self.take_done();
        (done, self.asked.into_iter().flatten().collect())
    }
}

/// Whether it can end an exchange. An upgrade (101) has no place in HTTP/2 (RFC 9113, section 8.6), and an
/// interim response goes out through [`EarlyHints`](headstart_policy::EarlyHints).
fn is_final<B>(response: &Response<B>) -> bool {
    !response.status().is_informational()
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
    for name in [http::header::CONTENT_LENGTH, http::header::COOKIE, http::header::AUTHORIZATION] {
        request.headers_mut().remove(name);
    }
    Some(request)
}

/// A service at work on a request; `None` if it fails or panics, which is said in the log and concerns this stream
/// alone.
pub(crate) type Call<B> = BoxFuture<'static, Option<Response<B>>>;

/// Asks the service, at once if it is ready. The one allocation is that of its future.
pub(crate) fn call<S: HttpService<B>, B: Send + 'static>(
    service: &S,
    cx: &mut Context<'_>,
    request: Request<RequestBody>,
) -> Call<B> {
    let mut service = service.clone();
    let ready = catch_unwind(AssertUnwindSafe(|| service.poll_ready(cx)));
    if !matches!(ready, Ok(Poll::Ready(Ok(())))) {
        return call_later(service, request);
    }
    let path = request.uri().path_and_query().cloned();
    match catch_unwind(AssertUnwindSafe(|| service.call(request))) {
        Ok(future) => {
            AssertUnwindSafe(future).catch_unwind().map(move |result| answered(path.as_ref(), result)).boxed()
        }
        Err(panic) => {
            let failed = answered(path.as_ref(), Err::<Result<_, S::Error>, _>(panic));
            std::future::ready(failed).boxed()
        }
    }
}

/// Asks the service when it is ready.
fn call_later<S: HttpService<B>, B: Send + 'static>(service: S, request: Request<RequestBody>) -> Call<B> {
    let path = request.uri().path_and_query().cloned();
    let called = AssertUnwindSafe(Oneshot::new(service, request)).catch_unwind();
    called.map(move |result| answered(path.as_ref(), result)).boxed()
}

/// What came of a call.
fn answered<B, E: Debug>(
    path: Option<&PathAndQuery>,
    result: Result<Result<Response<B>, E>, Box<dyn Any + Send>>,
) -> Option<Response<B>> {
    let path = path.map_or("", PathAndQuery::as_str);
    match result {
        Ok(Ok(response)) if is_final(&response) => return Some(response),
        Ok(Ok(response)) => {
            tracing::error!(path, status = %response.status(), "the service answered with an interim status");
        }
        Ok(Err(error)) => tracing::debug!(path, ?error, "the service failed"),
        Err(_) => tracing::error!(path, "the service panicked"),
    }
    None
}

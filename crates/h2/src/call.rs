//! Calls of the service, whose failures and panics concern their own stream alone.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt};
use http::uri::PathAndQuery;
use http::{Request, Response};
use tower::util::Oneshot;

use crate::body::RequestBody;
use crate::service::HttpService;

/// The service's response to a request; `None` if it failed or panicked, which is logged.
pub(crate) type Call<B> = BoxFuture<'static, Option<Response<B>>>;

/// Calls the service, at once if it is ready. The one allocation is that of its future.
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

/// Calls the service as soon as it is ready.
fn call_later<S: HttpService<B>, B: Send + 'static>(service: S, request: Request<RequestBody>) -> Call<B> {
    let path = request.uri().path_and_query().cloned();
    let called = AssertUnwindSafe(Oneshot::new(service, request)).catch_unwind();
    called.map(move |result| answered(path.as_ref(), result)).boxed()
}

/// The response, if the call succeeded; else the reason is logged.
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

/// Whether a response ends its exchange. HTTP/2 has no upgrade by 101 (RFC 9113, section 8.6), and an interim response
/// is sent through [`EarlyHints`](headstart_policy::EarlyHints).
fn is_final<B>(response: &Response<B>) -> bool {
    !response.status().is_informational()
}

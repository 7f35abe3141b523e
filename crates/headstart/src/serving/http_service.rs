//! The bounds of a service, said once.

use std::fmt::Debug;

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::body::Body;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A tower service that [`Headstart::serve`](crate::Headstart::serve) can serve. Implemented for every service that fits;
/// nothing implements it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an HTTP service that Headstart can serve",
    label = "this does not answer `http::Request<headstart::Body>`",
    note = "a service that fits is a `tower::Service<http::Request<headstart::Body>>` (or takes any body), is `Clone + Send + 'static`, has futures that are `Send`, and answers with `http::Response<B>` where `B: http_body::Body<Data = bytes::Bytes> + Send + 'static`",
    note = "an axum `Router<S>` needs `.with_state(..)` first; an axum handler goes into `Router::new().fallback(handler)`; a function into `tower::service_fn`; what `into_make_service..` returns goes to `Headstart::serve_make_service`"
)]
pub trait HttpService:
    Service<Request<Body>, Response = Response<Self::Content>, Error = Self::Failure, Future = Self::Answer>
    + Clone
    + Send
    + 'static
{
    /// The body of responses.
    type Content: http_body::Body<Data = Bytes, Error = Self::ContentError> + Send + 'static;
    /// Why a body broke off.
    type ContentError: Into<BoxError> + Debug;
    /// Why a request was not answered.
    type Failure: Into<BoxError> + Debug;
    /// The future of a response.
    type Answer: Future<Output = Result<Response<Self::Content>, Self::Failure>> + Send;
}

#[diagnostic::do_not_recommend]
impl<S, B> HttpService for S
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Debug,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError> + Debug,
{
    type Content = B;
    type ContentError = B::Error;
    type Failure = S::Error;
    type Answer = S::Future;
}

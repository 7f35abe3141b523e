//! The bounds of a service, said once.

use std::fmt::Debug;

use http::{Request, Response};
use tower_service::Service;

use crate::body::RequestBody;

/// A tower service that can be served: it answers requests with bodies of type `B`. Implemented for every service
/// that fits; nothing implements it by hand.
pub trait HttpService<B>:
    Service<Request<RequestBody>, Response = Response<B>, Future: Send, Error: Debug> + Clone + Send + 'static
{
}

impl<S, B> HttpService<B> for S where
    S: Service<Request<RequestBody>, Response = Response<B>, Future: Send, Error: Debug> + Clone + Send + 'static
{
}

/// A body that can be sent. Implemented for every body that fits.
pub trait HttpBody: http_body::Body<Error: Debug> + Send + 'static {}

impl<B> HttpBody for B where B: http_body::Body<Error: Debug> + Send + 'static {}

//! Gives each request the facts of its connection.

use std::task::{Context, Poll};

use headstart_policy::{OverTls, Peer};
use http::Request;
use tower_service::Service;

use super::body::Body;
use crate::connection::Connection;

/// Gives a service the facts of its connection, and one type of body for both protocols.
#[derive(Clone)]
pub(super) struct WithConnection<S> {
    pub(super) service: S,
    pub(super) connection: Connection,
}

impl<S, R> Service<Request<R>> for WithConnection<S>
where
    S: Service<Request<Body>>,
    Body: From<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> S::Future {
        let mut request = request.map(Body::from);
        let extensions = request.extensions_mut();
        extensions.insert(Peer(self.connection.remote()));
        if self.connection.tls().is_some() {
            extensions.insert(OverTls);
        }
        #[cfg(feature = "axum")]
        extensions.insert(axum::extract::ConnectInfo(self.connection.remote()));
        extensions.insert(self.connection.clone());
        self.service.call(request)
    }
}

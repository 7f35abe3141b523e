//! What a service gets to know of its connection with each request.

use std::net::SocketAddr;
use std::task::{Context, Poll};

use headstart_policy::{OverTls, Peer};
use http::Request;
use tower_service::Service;

use super::body::Body;

/// Gives a service the client's address and one type of body for both protocols.
#[derive(Clone)]
pub(super) struct WithPeer<S> {
    pub(super) service: S,
    pub(super) remote: SocketAddr,
    pub(super) tls: bool,
}

impl<S, R> Service<Request<R>> for WithPeer<S>
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
        request.extensions_mut().insert(Peer(self.remote));
        if self.tls {
            request.extensions_mut().insert(OverTls);
        }
        self.service.call(request)
    }
}

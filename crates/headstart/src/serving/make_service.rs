//! Makers of the service of a connection.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;

use tower_service::Service;

use super::http_service::HttpService;
use crate::connection::Connection;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the service that answers one connection. A clone of the maker is used up for each.
pub trait MakeConnectionService: Clone + Send + 'static {
    /// The service of a connection.
    type Service: HttpService;

    /// Makes it.
    fn make(self, connection: &Connection) -> impl Future<Output = Result<Self::Service, BoxError>> + Send;
}

/// One service, cloned for each connection.
#[derive(Clone)]
pub struct ClonedService<S> {
    pub(super) service: S,
    pub(super) on_connection: Option<OnConnection<S>>,
}

impl<S> fmt::Debug for ClonedService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClonedService").finish_non_exhaustive()
    }
}

/// Called with each connection before its first request, and with the service that will answer it.
pub(super) type OnConnection<S> = Arc<dyn Fn(&mut S, &Connection) + Send + Sync>;

impl<S: HttpService> MakeConnectionService for ClonedService<S> {
    type Service = S;

    async fn make(mut self, connection: &Connection) -> Result<S, BoxError> {
        if let Some(call) = self.on_connection {
            call(&mut self.service, connection);
        }
        Ok(self.service)
    }
}

/// A make-service: a tower service from the client's address to a service.
#[derive(Clone)]
pub struct MadeService<M>(pub(super) M);

impl<M> fmt::Debug for MadeService<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeService").finish_non_exhaustive()
    }
}

impl<M, S> MakeConnectionService for MadeService<M>
where
    M: Service<SocketAddr, Response = S> + Clone + Send + 'static,
    M::Future: Send,
    M::Error: Into<BoxError>,
    S: HttpService,
{
    type Service = S;

    async fn make(mut self, connection: &Connection) -> Result<S, BoxError> {
        poll_fn(|cx| self.0.poll_ready(cx)).await.map_err(Into::into)?;
        self.0.call(connection.remote()).await.map_err(Into::into)
    }
}

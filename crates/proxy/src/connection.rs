//! A connection as one request holds it: HTTP/1.1, which it has to itself, or HTTP/2, which many share.

use std::sync::Arc;
use std::task::Context;

use headstart_policy::Share;
use http::{Request, Response};

use super::hints::Heard;
use super::http1::Http1;
use super::http2::StreamPermit;
use super::incoming::Incoming;
use super::send_error::SendError;
use super::upload::Upload;

pub(super) enum Connection {
    Http1(Http1),
    Http2(StreamPermit),
}

impl Connection {
    /// Sends a request and waits for the head of the response; `heard` is told of the interim ones before it.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
        heard: Option<&Heard>,
        share: Option<&Arc<Share>>,
    ) -> Result<Response<Incoming>, SendError> {
        match self {
            Connection::Http1(connection) => Ok(connection.send(request, heard).await?.map(Incoming::Http1)),
            Connection::Http2(permit) => {
                Ok(permit.send(request, heard, share.map(Arc::clone)).await?.map(Incoming::Http2))
            }
        }
    }

    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Connection::Http1(connection) = self {
            connection.drive(cx);
        }
    }

    /// Whether the server may have closed it since it was last used.
    pub(super) fn is_used(&self) -> bool {
        match self {
            Connection::Http1(connection) => connection.used,
            Connection::Http2(_) => true,
        }
    }

    /// Whether it can become a tunnel, or carry one.
    pub(super) async fn takes_tunnels(&mut self) -> bool {
        match self {
            Connection::Http1(_) => true,
            Connection::Http2(permit) => permit.takes_tunnels().await,
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self, Connection::Http2(_))
    }
}

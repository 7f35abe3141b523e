//! One request and its response, and how it ends when the client has left.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::poll_fn;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use headstart_policy::Share;
use http::Response;
use tokio::task::JoinHandle;

use super::slot::Slot;
use super::upload;
use super::window::OpenStream;
use crate::hints::Heard;
use crate::send_error::SendError;
use crate::upload::Upload;

/// How much of a response that nobody wants is read, bytes; then it waits for leave to be reset, and holds its window.
const MAX_DRAINED: usize = 1 << 20;
/// How often a stream without leave to be reset asks again.
const ASKS_EVERY: Duration = Duration::from_millis(250);

/// One exchange on a connection. Dropped before its end, it is reset, or drained if the connection was reset too often.
pub(super) struct Stream {
    parts: Option<Parts>,
}

struct Parts {
    response: Option<ResponseFuture>,
    body: Option<RecvStream>,
    /// Of a tunnel.
    send: Option<SendStream<Bytes>>,
    upload: Option<JoinHandle<Result<(), ()>>>,
    slot: Arc<Slot>,
    share: Option<Arc<Share>>,
    _open: OpenStream,
}

impl Parts {
    /// Whether the stream may be reset now.
    fn take_reset(&self) -> bool {
        self.slot.take_reset(self.share.as_ref().map(|share| share.client()))
    }
}

impl Stream {
    pub(super) fn new(response: ResponseFuture, slot: Arc<Slot>, share: Option<Arc<Share>>) -> Self {
        let parts = Parts {
            response: Some(response),
            body: None,
            send: None,
            upload: None,
            slot,
            share,
            _open: OpenStream::new(),
        };
        Stream { parts: Some(parts) }
    }

    /// Keeps the sending half of a tunnel.
    pub(super) fn keep(&mut self, send: SendStream<Bytes>) {
        if let Some(parts) = &mut self.parts {
            parts.send = Some(send);
        }
    }

    /// The sending half of a tunnel.
    pub(super) fn take_sender(&mut self) -> Option<SendStream<Bytes>> {
        self.parts.as_mut()?.send.take()
    }

    /// Sends the content of a request, in a task of its own: it must go on whoever waits for whom.
    pub(super) fn upload(&mut self, upload: Upload, send: SendStream<Bytes>) {
        if let Some(parts) = &mut self.parts {
            parts.upload = Some(tokio::spawn(upload::send(upload, send)));
        }
    }

    /// Waits for the head of the response, and tells of those before it.
    pub(super) async fn head(&mut self, listener: Option<&Heard>) -> Result<Response<()>, SendError> {
        let response = poll_fn(|cx| self.poll_head(listener, cx)).await?;
        if let Some(parts) = &mut self.parts {
            let (head, body) = response.into_parts();
            parts.body = Some(body);
            return Ok(Response::from_parts(head, ()));
        }
        Err(SendError::Closed)
    }

    fn poll_head(
        &mut self,
        listener: Option<&Heard>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<RecvStream>, SendError>> {
        let Some(parts) = &mut self.parts else { return Poll::Ready(Err(SendError::Closed)) };
        let Some(response) = &mut parts.response else { return Poll::Ready(Err(SendError::Closed)) };
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
            if let Some(listener) = listener {
                listener.hear(interim.status(), interim.headers());
            }
        }
        if let Poll::Ready(result) = Pin::new(response).poll(cx) {
            parts.response = None;
            return Poll::Ready(result.map_err(|error| failed(&error)));
        }
        if let Some(task) = &mut parts.upload
            && let Poll::Ready(done) = Pin::new(task).poll(cx)
        {
            parts.upload = None;
            if !matches!(done, Ok(Ok(()))) {
                return Poll::Ready(Err(SendError::Closed));
            }
        }
        Poll::Pending
    }

    pub(super) fn body(&mut self) -> Option<&mut RecvStream> {
        self.parts.as_mut()?.body.as_mut()
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.body.as_ref().is_some_and(RecvStream::is_end_stream))
    }

    /// The response is whole.
    pub(super) fn finish(&mut self) {
        let uploads =
            self.parts.as_ref().and_then(|parts| parts.upload.as_ref()).is_some_and(|task| !task.is_finished());
        if !uploads {
            self.parts = None;
        }
    }
}

/// Whether the server has done nothing with the request, or else what went wrong.
fn failed(error: &h2::Error) -> SendError {
    tracing::debug!(%error, "a request failed");
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    if error.is_remote() && (error.is_go_away() || refused) {
        SendError::Unsent(None)
    } else if error.is_library() {
        SendError::Malformed
    } else {
        SendError::Closed
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        // To drop the parts of a stream that has not ended is to reset it.
        let uploaded = parts.upload.as_ref().is_none_or(JoinHandle::is_finished);
        let has_ended = uploaded && parts.body.as_ref().is_some_and(RecvStream::is_end_stream);
        if let Some(task) = &parts.upload {
            task.abort();
        }
        if has_ended || parts.take_reset() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(drain(parts));
        }
    }
}

/// Reads what nobody wants until it ends or may be reset.
async fn drain(mut parts: Parts) {
    let mut drained = 0;
    let mut ticks = tokio::time::interval(ASKS_EVERY);
    poll_fn(|cx| {
        while ticks.poll_tick(cx).is_ready() {
            if parts.take_reset() {
                return Poll::Ready(());
            }
        }
        if let Some(response) = &mut parts.response {
            match Pin::new(response).poll(cx) {
                Poll::Ready(Ok(response)) => {
                    parts.response = None;
                    parts.body = Some(response.into_body());
                }
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        while drained < MAX_DRAINED
            && let Some(body) = &mut parts.body
            && let Poll::Ready(data) = body.poll_data(cx)
        {
            let Some(Ok(data)) = data else { return Poll::Ready(()) };
            drained += data.len();
            let _ = body.flow_control().release_capacity(data.len());
        }
        Poll::Pending
    })
    .await;
}

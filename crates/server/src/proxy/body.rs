//! The body of a response on its way to the client.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use super::ahead::Ahead;
use super::cache::Filling;
use super::connection::Held;
use super::error::Fault;
use super::server::Server;
use super::stats::{self, Counters};

/// A response body: known, or passed on from the upstream as the client takes it.
///
/// It fails, which resets the stream or closes the connection, if the upstream does not send it to its end.
pub(crate) struct Body(Kind);

enum Kind {
    Known(Bytes),
    Passing(Box<Passing>),
    Ahead(Ahead),
}

/// A body that the upstream sends. What is not taken by the client is not read from the upstream.
pub(super) struct Passing {
    incoming: Incoming,
    lease: Option<Lease>,
    /// How long the upstream may send nothing while the client would take it.
    stall: Duration,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    counters: Arc<Counters>,
    /// Keeps a copy for the cache.
    filling: Option<Box<Filling>>,
}

/// What one request holds of the upstream until its response is whole.
pub(super) struct Lease {
    pub(super) held: Option<Held>,
    pub(super) place: Place,
}

/// The request's place among those under way.
pub(super) struct Place {
    pub(super) at: At,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// A request that a server has to answer, counted as long as this lives.
pub(super) struct At(pub(super) Arc<Server>);

impl At {
    pub(super) fn new(server: &Arc<Server>) -> Self {
        server.open.fetch_add(1, Ordering::Relaxed);
        At(Arc::clone(server))
    }
}

impl Drop for At {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lease {
    /// The response is whole: its connection may serve the next request.
    fn release(mut self, cx: &mut Context<'_>) {
        let Some(Held::Exclusive(mut connection)) = self.held.take() else { return };
        connection.drive(cx);
        if connection.is_idle() {
            self.place.at.0.keep(connection);
            return;
        }
        if !connection.is_closed() {
            // One with a task of its own needs a moment to notice.
            let server = Arc::clone(&self.place.at.0);
            tokio::spawn(async move {
                if connection.idle().await {
                    server.keep(connection);
                }
            });
        }
    }
}

impl Body {
    pub(super) fn known(bytes: impl Into<Bytes>) -> Self {
        Body(Kind::Known(bytes.into()))
    }

    pub(super) fn passing(
        incoming: Incoming,
        lease: Lease,
        stall: Duration,
        counters: &Arc<Counters>,
        filling: Option<Box<Filling>>,
    ) -> Self {
        if incoming.is_end_stream() {
            if let Some(filling) = filling {
                filling.finish();
            }
            lease.release(&mut Context::from_waker(std::task::Waker::noop()));
            return Body::known(Bytes::new());
        }
        let ahead = filling.as_ref().and_then(|filling| filling.read_ahead());
        let passing = Box::new(Passing {
            incoming,
            lease: Some(lease),
            stall,
            waiting_since: None,
            timer: None,
            counters: Arc::clone(counters),
            filling,
        });
        Body(match ahead {
            Some(room) => Kind::Ahead(Ahead::new(passing, room)),
            None => Kind::Passing(passing),
        })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.get_mut().0 {
            Kind::Known(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Known(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Passing(passing) => passing.poll_frame(cx),
            Kind::Ahead(ahead) => ahead.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Known(bytes) => bytes.is_empty(),
            Kind::Passing(passing) => passing.incoming.is_end_stream(),
            Kind::Ahead(ahead) => ahead.size_hint().exact() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Known(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Passing(passing) => passing.size_hint(),
            Kind::Ahead(ahead) => ahead.size_hint(),
        }
    }
}

impl Passing {
    /// Whether a copy is still kept.
    pub(super) fn fills(&self) -> bool {
        self.filling.is_some()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.poll_incoming(cx);
        match &polled {
            Poll::Pending => return self.poll_stall(cx).map(|fault| Some(Err(self.fail(fault)))),
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting_since = None;
                match frame.data_ref() {
                    Some(data) => {
                        stats::add(&self.counters.bytes_down, data.len() as u64);
                        if let Some(filling) = self.filling.take_if(|filling| !filling.add(data)) {
                            filling.give_up();
                        }
                    }
                    // Trailers are not kept, so neither is what they belong to.
                    None => {
                        if let Some(filling) = self.filling.take() {
                            filling.give_up();
                        }
                    }
                }
            }
            Poll::Ready(_) => {}
        }
        let Poll::Ready(frame) = polled else { return Poll::Pending };
        match frame {
            Some(Err(error)) => {
                tracing::debug!(%error, "a response broke off");
                Poll::Ready(Some(Err(self.fail(Fault::BodyBroken))))
            }
            frame => {
                if (frame.is_none() || self.incoming.is_end_stream())
                    && let Some(lease) = self.lease.take()
                {
                    lease.release(cx);
                    if let Some(filling) = self.filling.take() {
                        filling.finish();
                    }
                }
                Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyError(Fault::BodyBroken))))
            }
        }
    }

    /// Takes what has arrived; if nothing has, lets the connection read.
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        let Some(held) = self.lease.as_mut().and_then(|lease| lease.held.as_mut()) else { return polled };
        if polled.is_ready() {
            return polled;
        }
        held.drive(cx);
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let end = since + self.stall;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        while timer.as_mut().poll(cx).is_ready() {
            if end <= Instant::now() {
                return Poll::Ready(Fault::BodyTimeout);
            }
            timer.as_mut().reset(end);
        }
        Poll::Pending
    }

    fn fail(&mut self, fault: Fault) -> BodyError {
        // The connection is closed with the lease: nobody knows where in the stream it stands.
        if let Some(lease) = self.lease.take() {
            self.counters.fault(fault);
            lease.place.at.0.failed(fault);
        }
        if let Some(filling) = self.filling.take() {
            filling.fail();
        }
        BodyError(fault)
    }
}

/// A response that did not come to its end.
#[derive(Debug)]
pub(crate) struct BodyError(Fault);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the response ended early: {}", self.0.name())
    }
}

impl std::error::Error for BodyError {}

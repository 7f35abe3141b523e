//! A response body as the upstream sends it, and what the request holds of the upstream meanwhile.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use headstart_policy::{Share, Shares};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::cache::Storing;
use super::connection::Connection;
use super::encoding::Recoder;
use super::error::Fault;
use super::incoming::{Incoming, NextFrame};
use super::server::Server;
use super::stats::{self, Counters};

/// A body that the upstream sends. What is not taken by the client is not read from the upstream.
pub(super) struct Relay {
    incoming: Incoming,
    checkout: Option<Checkout>,
    /// How long the upstream may send nothing while the client would take it.
    stall: Duration,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    counters: Arc<Counters>,
    /// `None` if nobody paces the response.
    unread: Option<Unread>,
    /// Encodes what comes.
    recoder: Option<Box<Recoder>>,
    /// Keeps a copy for the cache, of what goes on.
    storing: Option<Box<Storing>>,
}

/// The part of the upstream that one request holds until its response is whole.
pub(super) struct Checkout {
    pub(super) held: Option<Connection>,
    pub(super) place: InFlight,
}

/// The share of a response that waits for its client: some 20 KB with a connection of HTTP/1.1, a window with HTTP/2.
pub(super) struct Unread {
    shares: Arc<Shares>,
    client: IpAddr,
    /// `None` while the client waits for the upstream.
    share: Option<Share>,
}

impl Unread {
    /// Of a response whose head has come; `share` is one that was taken for it before.
    pub(super) fn new(shares: &Arc<Shares>, share: Option<Share>, client: IpAddr) -> Self {
        let share = share.unwrap_or_else(|| shares.take(Some(client)));
        Unread { shares: Arc::clone(shares), client, share: Some(share) }
    }

    /// The client has taken all that has come.
    fn taken(&mut self) {
        self.share = None;
    }

    /// Something is handed on, which the client may not take.
    fn comes(&mut self) {
        if self.share.is_none() {
            self.share = Some(self.shares.take(Some(self.client)));
        }
    }
}

/// The request's place among those under way.
pub(super) struct InFlight {
    pub(super) at: OpenRequest,
    pub(super) share: Arc<Share>,
    /// Of a request with content.
    pub(super) _upload: Option<Arc<Share>>,
}

/// A request that a server has to answer, counted as long as this lives.
pub(super) struct OpenRequest(pub(super) Arc<Server>);

impl OpenRequest {
    pub(super) fn new(server: &Arc<Server>) -> Self {
        server.open.fetch_add(1, Ordering::Relaxed);
        OpenRequest(Arc::clone(server))
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Checkout {
    /// The response is whole: its connection may serve the next request.
    pub(super) fn release(mut self, cx: &mut Context<'_>) {
        let Some(Connection::Http1(mut connection)) = self.held.take() else { return };
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

impl Relay {
    pub(super) fn new(
        incoming: Incoming,
        checkout: Checkout,
        unread: Option<Unread>,
        stall: Duration,
        counters: &Arc<Counters>,
    ) -> Self {
        Relay {
            incoming,
            checkout: Some(checkout),
            stall,
            waiting_since: None,
            timer: None,
            counters: Arc::clone(counters),
            unread,
            recoder: None,
            storing: None,
        }
    }

    /// The same, encoded and kept.
    pub(super) fn with(mut self, recoder: Option<Box<Recoder>>, storing: Option<Box<Storing>>) -> Self {
        self.recoder = recoder;
        self.storing = storing;
        self
    }

    /// Gives the connection back before anything was read.
    pub(super) fn release(mut self) {
        if let Some(checkout) = self.checkout.take() {
            checkout.release(&mut Context::from_waker(std::task::Waker::noop()));
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        match &self.recoder {
            Some(recoder) => recoder.is_end(),
            None => self.incoming.is_end_stream(),
        }
    }

    /// Whether a copy is still kept.
    pub(super) fn is_stored(&self) -> bool {
        self.storing.is_some()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match &self.recoder {
            Some(_) => SizeHint::default(),
            None => self.incoming.size_hint(),
        }
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.poll_coded(cx);
        match &polled {
            Poll::Pending => {
                if let Some(unread) = &mut self.unread {
                    unread.taken();
                }
                return self.poll_stall(cx).map(|fault| Some(Err(self.fail(fault))));
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting_since = None;
                if let Some(unread) = &mut self.unread {
                    unread.comes();
                }
                match frame.data_ref() {
                    Some(data) => {
                        if let Some(storing) = self.storing.take_if(|storing| !storing.add(data)) {
                            storing.give_up();
                        }
                    }
                    // Trailers are not kept, so neither is what they belong to.
                    None => {
                        if let Some(storing) = self.storing.take() {
                            storing.give_up();
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
                    && let Some(checkout) = self.checkout.take()
                {
                    checkout.release(cx);
                }
                if (frame.is_none() || self.is_end_stream())
                    && let Some(storing) = self.storing.take()
                {
                    storing.finish();
                }
                Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyError(Fault::BodyBroken))))
            }
        }
    }

    /// Takes what goes on to the client.
    fn poll_coded(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        let Some(mut recoder) = self.recoder.take() else { return self.poll_incoming(cx) };
        let polled = recoder.poll_frame(|| self.poll_incoming(cx));
        self.recoder = Some(recoder);
        polled
    }

    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        let polled = self.poll_arrived(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            // Something comes, though it may be long until what it is coded to goes out.
            self.waiting_since = None;
            stats::add(&self.counters.bytes_down, data.len() as u64);
        }
        polled
    }

    /// Takes what has arrived; if nothing has, lets the connection read.
    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        let polled = self.incoming.poll_frame(cx);
        let Some(held) = self.checkout.as_mut().and_then(|checkout| checkout.held.as_mut()) else { return polled };
        if polled.is_ready() {
            return polled;
        }
        held.drive(cx);
        self.incoming.poll_frame(cx)
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
        // The connection is closed with the checkout: nobody knows where in the stream it stands.
        if let Some(checkout) = self.checkout.take() {
            self.counters.fault(fault);
            checkout.place.at.0.failed(fault, checkout.place.share.client());
        }
        if let Some(storing) = self.storing.take() {
            storing.fail();
        }
        BodyError(fault)
    }
}

/// A response that did not come to its end.
#[derive(Debug)]
pub struct BodyError(Fault);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the response ended early: {}", self.0.name())
    }
}

impl std::error::Error for BodyError {}

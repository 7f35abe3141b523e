//! One connection to a server: HTTP/1.1, which one request has to itself, or HTTP/2, which many share.
//!
//! The state machine of an HTTP/1.1 connection is driven by the task of the request that uses it, not by a task of its
//! own: a request then costs no hand-over between tasks, each of which may be a wake-up of another thread. Only a request
//! with content, whose upload must go on whoever waits for whom, and a tunnel get a task for the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::poll_fn;
use futures_util::task::AtomicWaker;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::bounds::Http2ClientConnExec;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::io::Io;
use super::upload::Upload;

type Driver = http1::Connection<TokioIo<Io>, Upload>;

/// How long a server is waited for to send its settings on a new connection, and how often they are looked at, if
/// something depends on them.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// An HTTP/1.1 connection.
pub(super) struct Http1 {
    sender: http1::SendRequest<Upload>,
    /// `None` once it has a task of its own, or has ended.
    driver: Option<Box<Driver>>,
    /// When it was last used.
    pub(super) since: Instant,
    /// Whether it has carried a request: the server may have closed it meanwhile.
    pub(super) used: bool,
}

impl Http1 {
    pub(super) fn new(sender: http1::SendRequest<Upload>, driver: Driver) -> Self {
        Http1 { sender, driver: Some(Box::new(driver)), since: Instant::now(), used: false }
    }

    /// Sends a request and waits for the head of the response.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        self.used = true;
        let response = self.sender.try_send_request(request);
        let mut response = std::pin::pin!(response);
        let driver = &mut self.driver;
        poll_fn(|cx| {
            if let Some(running) = driver
                && Pin::new(running).poll(cx).is_ready()
            {
                *driver = None;
            }
            response.as_mut().poll(cx)
        })
        .await
    }

    /// Gives the connection a task of its own, as one with `upgrades` if it may become a tunnel.
    pub(super) fn detach(&mut self, upgrades: bool) {
        let Some(driver) = self.driver.take() else { return };
        // What breaks is told to the request that uses it.
        if upgrades {
            tokio::spawn(async move {
                let _ = driver.with_upgrades().await;
            });
        } else {
            tokio::spawn(async move {
                let _ = driver.await;
            });
        }
    }

    /// Lets the connection do what it can: read more of a body, finish a message, notice that the server has closed.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }

    /// Whether another request can be sent at once.
    pub(super) fn is_idle(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.sender.is_ready()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until another request can be sent; `false` if the connection ends instead.
    pub(super) async fn idle(&mut self) -> bool {
        let Http1 { sender, driver, .. } = self;
        poll_fn(|cx| {
            if let Some(running) = driver
                && Pin::new(running).poll(cx).is_ready()
            {
                *driver = None;
            }
            sender.poll_ready(cx)
        })
        .await
        .is_ok()
    }
}

/// An HTTP/2 connection, which has a task of its own.
#[derive(Clone)]
pub(super) struct Http2 {
    pub(super) sender: http2::SendRequest<Upload>,
    open: Arc<AtomicUsize>,
    settings: Arc<Settings>,
    born: Instant,
}

/// What the server has said of itself. hyper does not tell when that comes: its task has to be woken to look.
#[derive(Default)]
struct Settings {
    takes_tunnels: AtomicBool,
    task: AtomicWaker,
}

/// A place on a shared connection, for one request.
pub(super) struct StreamPermit(pub(super) Http2);

impl Http2 {
    /// Begins to drive a connection, in a task of its own.
    pub(super) fn new<E>(
        sender: http2::SendRequest<Upload>,
        mut driver: http2::Connection<TokioIo<Io>, Upload, E>,
    ) -> Self
    where
        E: Http2ClientConnExec<Upload, TokioIo<Io>> + Unpin + Send + 'static,
    {
        let settings = Arc::<Settings>::default();
        let seen = Arc::clone(&settings);
        tokio::spawn(async move {
            let ended = poll_fn(|cx| {
                seen.task.register(cx.waker());
                let polled = Pin::new(&mut driver).poll(cx);
                seen.takes_tunnels.store(driver.is_extended_connect_protocol_enabled(), Ordering::Relaxed);
                polled
            });
            if let Err(error) = ended.await {
                tracing::debug!(%error, "an HTTP/2 connection to an upstream ended");
            }
        });
        Http2 { sender, open: Arc::default(), settings, born: Instant::now() }
    }

    /// Whether the server takes tunnels (RFC 8441). It says so in its settings, which come with its first bytes.
    async fn takes_tunnels(&self) -> bool {
        while !self.settings.takes_tunnels.load(Ordering::Relaxed) {
            if self.born.elapsed() >= PATIENCE {
                return false;
            }
            self.settings.task.wake();
            tokio::time::sleep(LOOK).await;
        }
        true
    }

    /// Takes a place, unless `most` are taken.
    pub(super) fn permit(&self, most: usize) -> Option<StreamPermit> {
        if self.sender.is_closed() {
            return None;
        }
        let taken =
            self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| (open < most).then_some(open + 1));
        taken.is_ok().then(|| StreamPermit(self.clone()))
    }
}

impl StreamPermit {
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        self.0.sender.try_send_request(request).await
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A connection as one request holds it.
pub(super) enum Connection {
    Http1(Http1),
    StreamPermit(StreamPermit),
}

impl Connection {
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        match self {
            Connection::Http1(connection) => connection.send(request).await,
            Connection::StreamPermit(permit) => permit.send(request).await,
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
            Connection::StreamPermit(_) => true,
        }
    }

    /// Whether it can become a tunnel, or carry one.
    pub(super) async fn takes_tunnels(&mut self) -> bool {
        match self {
            Connection::Http1(_) => true,
            Connection::StreamPermit(permit) => permit.0.takes_tunnels().await,
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self, Connection::StreamPermit(_))
    }
}

//! An HTTP/1.1 connection to a server, which one request has to itself.
//!
//! Its state machine is driven by the task of the request that uses it, not by a task of its own: a request then costs
//! no hand-over between tasks, each of which may be a wake-up of another thread. Only a request with content, whose
//! upload must go on whoever waits for whom, and a tunnel get a task for the connection.

use std::pin::Pin;
use std::task::{Context, Waker};

use futures_util::future::poll_fn;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::hints::Heard;
use super::io::Io;
use super::send_error::SendError;
use super::upload::Upload;

type Driver = http1::Connection<TokioIo<Io>, Upload>;

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
        mut request: Request<Upload>,
        heard: Option<&Heard>,
    ) -> Result<Response<Incoming>, SendError> {
        self.used = true;
        if let Some(heard) = heard {
            let heard = heard.clone();
            hyper::ext::on_informational(&mut request, move |response| {
                heard.hear(response.status(), response.headers());
            });
        }
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
        .map_err(|mut error| {
            if let Some(request) = error.take_message() {
                return SendError::Unsent(Some(request.into_body()));
            }
            let error = error.into_error();
            tracing::debug!(%error, "a request failed");
            match error {
                error if error.is_parse_too_large() => SendError::HeadTooLarge,
                error if error.is_parse() => SendError::Malformed,
                _ => SendError::Closed,
            }
        })
    }

    /// Gives the connection a task of its own. It may become a tunnel, now or when it is used again: a later request
    /// that wants to upgrade has no other way to get at the socket.
    pub(super) fn detach(&mut self) {
        let Some(driver) = self.driver.take() else { return };
        tokio::spawn(async move {
            // The request that uses the connection is told of its errors.
            let _ = driver.with_upgrades().await;
        });
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

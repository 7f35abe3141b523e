//! The service that keeps copies of pages, around the application's.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use headstart_learn::NetworkId;
use headstart_policy::FileContent;
use http::{HeaderMap, Request, Response, header, response};
use tower_service::Service;

use super::copied_body::{CopiedBody, Pending};
use super::decode::Coding;
use super::desk::{Copy, Desk};
use crate::caching::Caching;
use crate::looks::Seen;
use crate::pages::Page;
use crate::response as answer;

/// A navigation whose page may be read; in the extensions of its request.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) desk: Arc<Desk>,
    pub(crate) authority: Arc<str>,
    pub(crate) path: Arc<str>,
    /// The page, if it was shown before.
    pub(crate) page: Option<Arc<Page>>,
    pub(crate) secure: bool,
    pub(crate) network: NetworkId,
    /// The request carries neither credentials nor a cookie of the application.
    pub(crate) stranger: bool,
    /// The page's evidence is thin, old or contradicts its plan.
    pub(crate) unsettled: bool,
    /// The networks that the gate asks for.
    pub(crate) gate: usize,
}

impl Ticket {
    /// The copy to make of a response, if any.
    fn wants(&self, head: &response::Parts, exact: Option<u64>) -> Option<Box<Pending>> {
        if !answer::is_page(head) {
            return None;
        }
        let headers = &head.headers;
        let coding = Coding::of(headers)?;
        let files = head.extensions.get::<FileContent>().cloned();
        let seen = self.seen(headers, exact, files.is_some());
        let page = match &self.page {
            Some(page) => Arc::clone(page),
            None => self.desk.pages().get_or_add(&self.authority, &self.path),
        };
        let mut state = page.state();
        if !state.looks.wants(&seen) {
            state.looks.note_tag(headers.get(header::ETAG), &seen);
            return None;
        }
        drop(state);
        let copy = Copy {
            page,
            authority: Arc::clone(&self.authority),
            path: Arc::clone(&self.path),
            secure: self.secure,
            seen,
            coding,
            files,
            parts: VecDeque::new(),
            whole: false,
        };
        Some(Box::new(Pending { desk: Arc::clone(&self.desk), copy, bytes: 0 }))
    }

    fn seen(&self, headers: &HeaderMap, exact: Option<u64>, of_files: bool) -> Seen {
        let caching = Caching::of(headers);
        let about_who_asks =
            |name: &str| matches!(name.trim().to_ascii_lowercase().as_str(), "cookie" | "authorization" | "*");
        let varies = headers
            .get_all(header::VARY)
            .iter()
            .any(|vary| vary.to_str().map_or(true, |vary| vary.split(',').any(about_who_asks)));
        let parts = answer::validator_parts(headers);
        Seen {
            validator: if parts.is_empty() { 0 } else { self.desk.pages().validator(&parts) },
            length: exact.unwrap_or(0),
            network: self.network,
            // A file is the same for everyone; `private` there keeps shared caches from handing out cookies.
            public: self.stranger
                && (of_files || !caching.private)
                && !caching.no_store
                && !headers.contains_key(header::SET_COOKIE)
                && !varies,
            alone: self.gate <= 1 || of_files,
            of_files,
            unsettled: self.unsettled,
            gate: self.gate,
        }
    }
}

/// Keeps copies of the pages of a service that are wanted.
#[derive(Clone)]
pub(crate) struct Copying<S>(pub(crate) S);

impl<S, R, B> Service<Request<R>> for Copying<S>
where
    S: Service<Request<R>, Response = Response<B>>,
    B: http_body::Body<Data = Bytes>,
{
    type Response = Response<CopiedBody<B>>;
    type Error = S::Error;
    type Future = CopyingFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<R>) -> Self::Future {
        let ticket = request.extensions_mut().remove();
        CopyingFuture { future: self.0.call(request), ticket }
    }
}

pin_project_lite::pin_project! {
    /// The future of [`Copying`].
    pub(crate) struct CopyingFuture<F> {
        #[pin]
        future: F,
        ticket: Option<Ticket>,
    }
}

impl<F, B, E> Future for CopyingFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: http_body::Body<Data = Bytes>,
{
    type Output = Result<Response<CopiedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (head, body) = ready!(this.future.poll(cx))?.into_parts();
        let pending = this.ticket.take().and_then(|ticket| ticket.wants(&head, body.size_hint().exact()));
        Poll::Ready(Ok(Response::from_parts(head, CopiedBody::new(body, pending))))
    }
}

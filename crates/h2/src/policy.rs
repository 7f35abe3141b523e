//! What to send early: the driver asks, a policy answers.

use http::uri::PathAndQuery;
use http::{HeaderMap, request, response};
use http_body::SizeHint;

use crate::priority::Priority;

/// Decides what one connection sends early. The driver owns it, calls it from the connection's task alone, and
/// carries out what it says as far as the client, the protocol and [`Config`](crate::Config) allow.
///
/// For each request, in this order: [`request`](Policy::request), then if the service answers
/// [`response`](Policy::response) and [`commit`](Policy::commit), and at last, in any case and exactly once,
/// [`ended`](Policy::ended). Each pushed response that is ready passes [`admit`](Policy::admit) and, if it is pushed,
/// [`promised`](Policy::promised): right before the commit, or before the response if that is long in coming
/// ([`Config::promise_ahead_after`](crate::Config)). [`outcome`](Policy::outcome) follows for each promise that was made.
/// Requests for pushed assets, which the driver makes itself, do not pass through the policy.
///
/// `()` is the policy that sends nothing early.
pub trait Policy: Send + 'static {
    /// What the policy keeps of one exchange.
    type Exchange: Send + 'static;
    /// The policy's name for one promise.
    type Tag: Clone + Send + 'static;

    /// A request head has arrived. The policy may put extensions into it for the service.
    fn request(&mut self, client: Client, request: &mut request::Parts) -> Opening<Self::Exchange, Self::Tag>;

    /// The service has answered; the head may still be changed. Promises made here are resolved before the head
    /// goes out, so prefer those of [`Opening`].
    fn response(
        &mut self,
        exchange: &mut Self::Exchange,
        head: &mut response::Parts,
        size: &SizeHint,
    ) -> Pushes<Self::Tag> {
        let _ = (exchange, head, size);
        Pushes::Keep(Vec::new())
    }

    /// A pushed response is ready. `false` drops it unsent; its body is not touched.
    fn admit(
        &mut self,
        exchange: &mut Self::Exchange,
        promise: &Promise<Self::Tag>,
        head: &mut response::Parts,
        size: &SizeHint,
    ) -> bool {
        let _ = (exchange, promise, head, size);
        true
    }

    /// A promise is on its way to the client.
    fn promised(&mut self, exchange: &mut Self::Exchange, tag: &Self::Tag) {
        let _ = (exchange, tag);
    }

    /// What became of each promise of [`Opening`] and [`Pushes`]; the head goes out next: the last chance to add `Link`
    /// and `Set-Cookie`.
    fn commit(&mut self, exchange: &mut Self::Exchange, head: &mut response::Parts, attempts: &[Attempt<Self::Tag>]) {
        let _ = (exchange, head, attempts);
    }

    /// The exchange is over: its body went out whole (`complete`), or it failed, or the client cancelled it.
    fn ended(&mut self, exchange: Self::Exchange, complete: bool) {
        let _ = (exchange, complete);
    }

    /// What became of a promise on the wire. [`Outcome::Cancelled`] may follow [`Outcome::Finished`]: a client
    /// can refuse what is already under way to it.
    fn outcome(&mut self, tag: &Self::Tag, outcome: Outcome) {
        let _ = (tag, outcome);
    }
}

/// The policy that sends nothing early.
impl Policy for () {
    type Exchange = ();
    type Tag = ();

    fn request(&mut self, _: Client, _: &mut request::Parts) -> Opening<(), ()> {
        Opening::new(())
    }
}

/// What the driver knows of the client when a request arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Client {
    /// Whether a promise made now could be kept: the client's SETTINGS allow push and concurrent streams, it has
    /// not cancelled too many, nobody is closing the connection, and there is room for one more push and some of its
    /// bytes. Promises made all the same are dropped without an attempt.
    pub push: bool,
}

impl Client {
    /// A client that takes pushes or does not, to try a policy with.
    pub fn new(push: bool) -> Self {
        Client { push }
    }
}

/// A policy's answer to a request head.
#[derive(Debug)]
pub struct Opening<E, T> {
    /// The policy's state of the exchange.
    pub exchange: E,
    /// Fields of a 103 (Early Hints) response that goes out before the service is called. RFC 8297.
    pub early_hints: Option<HeaderMap>,
    /// What to push, most needed first. The service is asked for it at once, beside the page itself.
    pub promises: Vec<Promise<T>>,
    /// Priority of the response, if the policy knows better than the request's `priority` field: the server is free to
    /// merge what it knows (RFC 9218, section 8). A PRIORITY_UPDATE frame and the response's own field override it.
    pub priority: Option<Priority>,
}

impl<E, T> Opening<E, T> {
    /// An exchange with nothing sent early, and as urgent as the client says.
    pub fn new(exchange: E) -> Self {
        Opening { exchange, early_hints: None, promises: Vec::new(), priority: None }
    }
}

/// A pushed request (RFC 9113, section 8.4): GET, the same scheme and authority as the page's, no body.
#[derive(Clone, Debug)]
pub struct Promise<T> {
    /// What is pushed, as the client would ask for it.
    pub path: PathAndQuery,
    /// Request fields, both promised to the client and given to the service: those that select the response
    /// (`accept-encoding` and its like), never `cookie` or `authorization`.
    pub headers: HeaderMap,
    /// Priority of the response; the page's own if `None`. A push never comes before its page.
    pub priority: Option<Priority>,
    /// The policy's name for it.
    pub tag: T,
}

/// A policy's answer to a response head.
#[derive(Debug)]
pub enum Pushes<T> {
    /// Push what was planned, and these.
    Keep(Vec<Promise<T>>),
    /// Push nothing after all; what was promised ahead is taken back.
    Drop,
}

/// One planned push when its page is committed.
#[derive(Clone, Debug)]
pub struct Attempt<T> {
    /// The policy's name for it.
    pub tag: T,
    /// Why it was not promised; `None` if it was.
    pub refusal: Option<Refusal>,
}

/// Why the driver did not make a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The byte budget of the connection is spent ([`Config::max_pushed_bytes`](crate::Config)).
    Budget,
    /// The client's socket is full: pushing more would only stand in the page's way.
    Congested,
    /// The service failed or panicked on it.
    Failed,
    /// It is not a request that may be promised: hop-by-hop fields, or a path that is no path.
    Invalid,
    /// The policy itself did not admit the response.
    NotAdmitted,
    /// The response was not ready in time ([`Config::push_patience`](crate::Config)).
    NotReady,
    /// The same version of it was promised on this connection before.
    Repeated,
    /// The client does not take pushes (any more), or the connection is being closed.
    Unwanted,
    /// As many pushes are open as the client or [`Config::max_open_pushes`](crate::Config) allow.
    Crowded,
}

/// What became of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The client cancelled it with this error code (RFC 9113, section 7): CANCEL (8) for what it holds or does
    /// not want, REFUSED_STREAM (7) for what it did not look at.
    Cancelled(h2::Reason),
    /// The body failed on our side, or was larger than [`Config::max_pushed_bytes`](crate::Config) allows, or it was
    /// promised ahead of a page with which nothing is to be pushed after all.
    Failed,
    /// The whole response was written.
    Finished,
    /// The connection ended first, or the client opened no window for it in time.
    Unfinished,
}

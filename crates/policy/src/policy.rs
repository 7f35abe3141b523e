//! The conversation between a transport and a policy.

use http::{HeaderMap, request, response};
use http_body::SizeHint;

use crate::attempt::Attempt;
use crate::outcome::Outcome;
use crate::priority::Priority;
use crate::promise::Promise;

/// Decides what one connection sends early. A transport owns it, calls it from the connection's task alone, and carries
/// out its decisions as far as the client, the protocol and the transport's limits allow.
///
/// For each request, in this order: [`request`](Policy::request); if the service answers,
/// [`response`](Policy::response) and [`commit`](Policy::commit); at last, in any case and exactly once,
/// [`ended`](Policy::ended). Each pushed response that is ready passes [`admit`](Policy::admit) and, if it is pushed,
/// [`promised`](Policy::promised): right before the commit, or before the response if the service takes long and the
/// transport promises ahead of it. [`outcome`](Policy::outcome) follows once for each promise that was made; a
/// cancellation may follow [`Outcome::Finished`]. Requests for pushed assets, which the transport makes itself, do not
/// pass through the policy.
///
/// `()` is the policy that sends nothing early.
pub trait Policy: Send + 'static {
    /// The policy's state of one exchange.
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

    /// A pushed response is ready. `false` drops it unsent; its body is not polled.
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

    /// The head of the response goes out next: the last chance to add fields such as `Link` and `Set-Cookie`.
    /// `attempts` says of each promise of [`Opening`] and [`Pushes`] whether it was made.
    fn commit(&mut self, exchange: &mut Self::Exchange, head: &mut response::Parts, attempts: &[Attempt<Self::Tag>]) {
        let _ = (exchange, head, attempts);
    }

    /// The exchange is over: its body went out whole (`complete`), or it failed, or the client cancelled it.
    fn ended(&mut self, exchange: Self::Exchange, complete: bool) {
        let _ = (exchange, complete);
    }

    /// Reports what became of a promise. [`Outcome::Cancelled`] may follow [`Outcome::Finished`]: a client can refuse
    /// a response that was written already.
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

/// The client, as the transport knows it when a request arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Client {
    /// Whether a promise made now could be kept: the client takes pushes and concurrent streams, it has not cancelled
    /// too many, nobody is closing the connection, and its limits leave room for one more push and some of its bytes.
    /// Promises made all the same are dropped without an attempt.
    pub push: bool,
}

impl Client {
    /// A client that takes pushes or does not.
    pub fn new(push: bool) -> Self {
        Client { push }
    }
}

/// A policy's answer to a request head.
#[derive(Clone, Debug)]
pub struct Opening<E, T> {
    /// The policy's state of the exchange.
    pub exchange: E,
    /// Fields of a 103 (Early Hints) response that goes out before the service is called (RFC 8297).
    pub early_hints: Option<HeaderMap>,
    /// The promises to make, most needed first. The service is asked for it at once, beside the page itself.
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

/// A policy's answer to a response head.
#[derive(Clone, Debug)]
pub enum Pushes<T> {
    /// Push what was planned, and these.
    Keep(Vec<Promise<T>>),
    /// Push nothing after all; promises that were made ahead are cancelled.
    Drop,
}

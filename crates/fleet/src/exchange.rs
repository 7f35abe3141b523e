//! The place where servers leave entries for each other.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A pending operation of an [`Exchange`].
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ExchangeError>> + Send + 'a>>;

/// A place where servers leave entries for each other: an engine, or a directory.
///
/// It may lose, double, delay and reorder entries, and forget all of them at any time. What it must not do is change them
/// unnoticed, and even that is noticed, for they are sealed. Every call may be cancelled by dropping it; it may have
/// happened all the same.
pub trait Exchange: fmt::Debug + Send + Sync + 'static {
    /// Adds an entry to the log, from which the oldest are removed. An entry may be added twice.
    fn publish<'a>(&'a self, entry: &'a [u8]) -> Pending<'a, ()>;

    /// Entries of the log after `after`, the oldest first, until they are about `bytes` bytes; at least one if there is
    /// one. Without a place, or where it makes no sense any more, from the first.
    fn read<'a>(&'a self, after: Option<&'a Cursor>, bytes: usize) -> Pending<'a, Batch>;

    /// The last base; `None` if there is none.
    fn base(&self) -> Pending<'_, Option<Vec<u8>>>;

    /// Replaces the base as a whole.
    fn write_base<'a>(&'a self, base: &'a [u8]) -> Pending<'a, ()>;

    /// Whether `holder` writes the base for this long: nobody else does, or it did so before.
    fn lease<'a>(&'a self, holder: &'a str, time: Duration) -> Pending<'a, bool>;

    /// Replaces what `node` says of itself.
    fn announce<'a>(&'a self, node: &'a str, status: &'a [u8]) -> Pending<'a, ()>;

    /// The status of every node.
    fn nodes(&self) -> Pending<'_, Vec<Vec<u8>>>;

    /// Forgets what `node` said of itself.
    fn leave<'a>(&'a self, node: &'a str) -> Pending<'a, ()>;

    /// Its address for a log: without a password.
    fn place(&self) -> String;
}

/// A place in a log, as the exchange writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Entries that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The oldest first.
    pub entries: Vec<Vec<u8>>,
    /// The position to go on from; `None` to begin with the first.
    pub cursor: Option<Cursor>,
    /// The log is not the one that was read before: it was wiped, or is a replica that lags behind.
    pub restarted: bool,
    /// Whether there is more.
    pub more: bool,
}

/// Why an exchange did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeError {
    kind: ErrorKind,
    problem: String,
}

/// Kinds of errors of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It cannot be reached, or the connection broke.
    Unreachable,
    /// It did not answer in time.
    TimedOut,
    /// It refuses this server: the password, a permission, a certificate.
    Denied,
    /// It has no room.
    Full,
    /// Anything else.
    Other,
}

impl ExchangeError {
    /// An error with what it is about, without secrets.
    pub fn new(kind: ErrorKind, problem: impl Into<String>) -> Self {
        ExchangeError { kind, problem: problem.into() }
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ErrorKind::Unreachable => "it cannot be reached",
            ErrorKind::TimedOut => "it did not answer in time",
            ErrorKind::Denied => "it refuses this server",
            ErrorKind::Full => "it has no room",
            ErrorKind::Other => "it failed",
        };
        if self.problem.is_empty() { f.write_str(kind) } else { write!(f, "{kind}: {}", self.problem) }
    }
}

impl std::error::Error for ExchangeError {}

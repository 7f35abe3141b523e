//! Events for an observer: logs, metrics and dashboards.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use headstart_learn::ClientClass;

use crate::beacon::BeaconReport;
use crate::view::{Outlet, PageView};

/// Something that happened. Observers are called on the connection's task
/// ([`Builder::on_event`](crate::Builder::on_event)).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The decisions for a page view. Sent with the response head.
    View(PageView),
    /// The outcome of one push.
    Push(PushReport),
    /// How the assets of a page view arrived, when the visit closes.
    Visit(VisitReport),
    /// A browser's report of a page view ([`Builder::beacon`](crate::Builder::beacon)).
    Beacon(BeaconReport),
}

/// The outcome of one push.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PushReport {
    /// Authority of the site.
    pub authority: Arc<str>,
    /// The page that it belongs to, as in [`PageView`].
    pub page: Arc<str>,
    /// Path of the asset, with query.
    pub asset: Arc<str>,
    /// Length of its body, bytes; 0 if unknown.
    pub bytes: u64,
    /// Its outcome. [`Cancelled`](PushOutcome::Cancelled) may follow [`Finished`](PushOutcome::Finished): a
    /// client can refuse what it has been sent already.
    pub outcome: PushOutcome,
}

/// The outcome of a push on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PushOutcome {
    /// Written whole.
    Finished,
    /// The client cancelled it.
    Cancelled,
    /// The service's body failed.
    Failed,
    /// The connection ended first.
    Unfinished,
}

/// How the assets of one page view arrived. Times are from the navigation's arrival, as the server sees them: an end
/// is when the last byte was handed to the connection.
///
/// Over HTTP/2 the connection tells which assets belong to a view. Behind a trusted proxy and over HTTP/1.1 the client and
/// the `Referer` of its requests do: assets that are asked for without one are in no report there.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "four facts that do not depend on each other")]
pub struct VisitReport {
    /// Authority of the site.
    pub authority: Arc<str>,
    /// The page, as in [`PageView`].
    pub page: Arc<str>,
    /// The way that was open to this client.
    pub outlet: Outlet,
    /// The class of the client's device.
    pub class: ClientClass,
    /// The number of the client on this day: a keyed hash, by which views of one client are known to be that. Another day it
    /// is another number.
    pub client: u64,
    /// The view was drawn to get nothing early, as evidence.
    pub held_out: bool,
    /// The probability with which the view was to be held out, as in [`PageView`].
    pub holdout_probability: f32,
    /// Hold-outs got help like others, as in [`PageView`].
    pub aa: bool,
    /// Assets that were planned or named for this view, whatever was decided on each.
    pub planned: usize,
    /// The client held something of what was planned.
    pub warm: bool,
    /// When the page's head went out, since the page was asked for.
    pub head: Duration,
    /// When the last of the assets was there that were planned for this page and that this view loaded, in whatever
    /// way, while the page loaded: the same set in views that got help and in those that did not. What is asked for more than
    /// 1.5 s after the last byte of the others is not waited for. `None` if it loaded none of them.
    pub complete: Option<Duration>,
    /// An asset that was planned for this page was asked for or pushed and did not arrive whole.
    pub cut_off: bool,
    /// The assets it loaded, in order of their start; at most 128.
    pub assets: Vec<VisitedAsset>,
}

/// One asset of a visit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VisitedAsset {
    /// Path with query.
    pub path: Arc<str>,
    /// When it was asked for or promised, since its page was asked for.
    pub start: Duration,
    /// When its last byte was sent, since its page was asked for; `None` if it never was, whole.
    pub end: Option<Duration>,
    /// Length of its body, bytes; 0 if unknown.
    pub bytes: u64,
    /// How it came to be sent.
    pub how: Arrival,
}

/// How an asset came to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arrival {
    /// The client asked for it by itself.
    Fetched,
    /// The client asked for it, and had been told of it by 103 or `Link`.
    Hinted,
    /// Pushed.
    Pushed,
}

impl fmt::Display for PushOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PushOutcome::Finished => "finished",
            PushOutcome::Cancelled => "cancelled",
            PushOutcome::Failed => "failed",
            PushOutcome::Unfinished => "unfinished",
        })
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arrival::Fetched => "fetched",
            Arrival::Hinted => "hinted",
            Arrival::Pushed => "pushed",
        })
    }
}

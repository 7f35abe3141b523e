//! The attacks, and what is to become of their connections.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{FutureExt, LocalBoxFuture};

use super::frames::greeting;
use super::resets::Made;
use super::site::{LARGE, STREAMED};
use super::stage::Stage;
use super::{floods, heads, pushes, resets, shared, slow};

pub(crate) struct Mode {
    pub(crate) name: &'static str,
    pub(crate) ends: Ends,
    pub(crate) pushes: bool,
    pub(crate) through: Through,
    /// How far the memory of the server may grow, MiB.
    pub(crate) memory: f64,
    pub(crate) run: Box<dyn Fn(Arc<Stage>) -> LocalBoxFuture<'static, ()> + Sync>,
}

/// The memory that any attack may cost, MiB.
const MEMORY: f64 = 16.0;
/// A connection that does nothing costs some 40 KiB, and an address has a share of the connections that are free: many, where
/// nobody else wants any.
const CONNECTIONS: f64 = 48.0;

/// The source of the server's responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    Files,
    /// An application, over HTTP/1.1.
    Http1,
    /// The same over HTTP/2.
    Http2,
}

/// The server's duty to an attacker's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    /// To close it within this time.
    Within(Duration),
    /// Nothing: it may go on within its limits.
    Held,
    /// To let in so many at a time.
    AtMost(usize),
}

use Ends::{AtMost, Held, Within};

const SOON: Ends = Within(Duration::from_secs(3));
/// The client has no part in the close.
const UNREAD: Ends = Within(Duration::from_secs(10));
/// The timer of handshakes is 5 s, that of heads 10 s, that of stalled writes 30 s; each with a margin.
const HANDSHAKE: Ends = Within(Duration::from_secs(7));
const HEAD: Ends = Within(Duration::from_secs(12));
const STALL: Ends = Within(Duration::from_secs(36));

impl Mode {
    /// How long it takes to see what becomes of it.
    pub(crate) fn lasting(&self, quick: bool) -> Duration {
        let needed = match self.ends {
            Within(time) => time + Duration::from_secs(2),
            Held | AtMost(_) => Duration::from_secs(6),
        };
        if quick { Duration::from_secs(1) } else { needed }
    }
}

pub(crate) fn mode<F>(name: &'static str, ends: Ends, run: impl Fn(Arc<Stage>) -> F + Sync + 'static) -> Mode
where
    F: Future<Output = ()> + 'static,
{
    let run = Box::new(move |stage| run(stage).boxed_local());
    Mode { name, ends, pushes: false, through: Through::Files, memory: MEMORY, run }
}

pub(crate) fn all() -> Vec<Mode> {
    [of_resets(), of_floods(), of_windows(), of_heads(), of_pushes(), of_slowness(), of_what_is_shared()]
        .into_iter()
        .flatten()
        .collect()
}

/// Nothing but the honest client, to compare with.
pub(crate) fn none() -> Mode {
    mode("no attack", Held, async |stage| tokio::time::sleep_until(stage.until).await)
}

fn of_resets() -> Vec<Mode> {
    let made = |name, how| mode(name, SOON, move |stage| async move { resets::made(&stage, how).await });
    vec![
        mode("rapid reset", SOON, async |stage| resets::rapid(&stage).await),
        mode("reset once answered", SOON, async |stage| resets::once_answered(&stage).await),
        mode("cancelled uploads", SOON, async |stage| resets::uploads(&stage).await),
        made("MadeYouReset by window overflow", Made::WindowOverflow),
        made("MadeYouReset by an increment of 0", Made::ZeroIncrement),
        made("MadeYouReset by DATA after the end", Made::DataAfterEnd),
        made("MadeYouReset by a second head", Made::SecondHead),
        made("MadeYouReset by content-length", Made::ContentLength),
        made("MadeYouReset by PRIORITY on itself", Made::Priority),
        made("MadeYouReset by malformed heads", Made::MalformedHead),
    ]
}

fn of_floods() -> Vec<Mode> {
    let read = |name, one: fn() -> Vec<u8>| {
        mode(name, SOON, move |stage| async move { floods::flood(&stage, true, one()).await })
    };
    let unread = |name, one: fn() -> Vec<u8>| {
        mode(name, UNREAD, move |stage| async move { floods::flood(&stage, false, one()).await })
    };
    vec![
        read("PING flood", floods::ping),
        unread("PING flood, unread", floods::ping),
        read("SETTINGS flood", floods::empty_settings),
        unread("SETTINGS flood, unread", floods::empty_settings),
        read("PRIORITY flood", floods::priority),
        unread("PRIORITY flood, unread", floods::priority),
        read("PRIORITY_UPDATE flood", floods::priority_update),
        read("WINDOW_UPDATE flood", floods::tiny_window),
        unread("WINDOW_UPDATE flood, unread", floods::tiny_window),
        read("flood of unknown frames", floods::unknown),
        read("GOAWAY flood", floods::goaway),
        mode("empty DATA flood", SOON, async |stage| floods::empty_data(&stage, false).await),
        mode("padded empty DATA flood", SOON, async |stage| floods::empty_data(&stage, true).await),
        mode("many small requests", Held, async |stage| floods::requests(&stage).await),
    ]
}

fn of_windows() -> Vec<Mode> {
    vec![
        mode("SETTINGS window churn", SOON, async |stage| floods::window_churn(&stage).await),
        mode("window dribble", SOON, async |stage| floods::dribble(&stage, LARGE).await),
        mode("window dribble, streamed files", SOON, async |stage| floods::dribble(&stage, STREAMED).await),
        mode("large files, never read", STALL, async |stage| floods::never_read(&stage, LARGE).await),
        mode("streamed files, never read", STALL, async |stage| floods::never_read(&stage, STREAMED).await),
        mode("large files, no window", STALL, async |stage| floods::no_window(&stage).await),
        mode("PINGs instead of window", STALL, async |stage| floods::pings_for_window(&stage).await),
    ]
}

fn of_heads() -> Vec<Mode> {
    let continuation = |name, payload: fn() -> Vec<u8>| {
        mode(name, SOON, move |stage| async move { heads::continuation(&stage, payload()).await })
    };
    vec![
        continuation("CONTINUATION flood, empty", Vec::new),
        continuation("CONTINUATION flood, small fields", heads::small_fields),
        continuation("CONTINUATION flood, large fields", heads::large_field),
        mode("heads of 15 KB", Held, async |stage| heads::largest(&stage).await),
        mode("heads of 30 KB", Held, async |stage| heads::too_large(&stage).await),
        mode("one field 300 times", Held, async |stage| heads::repeated(&stage).await),
        mode("HPACK bomb of 64 KB", Held, async |stage| heads::bomb(&stage, 16).await),
        mode("HPACK bomb of 60 MB", Held, async |stage| heads::bomb(&stage, 15_000).await),
        mode("crafted cookies", Held, async |stage| heads::crafted_cookies(&stage).await),
    ]
}

fn of_pushes() -> Vec<Mode> {
    let with_pushes = |mut mode: Mode| {
        mode.pushes = true;
        mode
    };
    vec![
        with_pushes(mode("pushes, no window", STALL, async |stage| pushes::no_window(&stage).await)),
        mode("pushes, never read", STALL, async |stage| pushes::never_read(&stage).await),
        with_pushes(mode("reset of every push", Held, async |stage| pushes::reset_all(&stage).await)),
        with_pushes(mode("pages again and again", Held, async |stage| pushes::take_all(&stage).await)),
    ]
}

fn of_what_is_shared() -> Vec<Mode> {
    let through = |through, mut mode: Mode| {
        mode.through = through;
        mode
    };
    let downloads = |name, file, connections, streams| {
        mode(name, STALL, move |stage| async move { shared::downloads(&stage, file, connections, streams).await })
    };
    let resets = |name| mode(name, Held, async |stage| shared::resets(&stage, LARGE).await);
    let uploads = |name| mode(name, Held, async |stage| shared::uploads(&stage).await);
    vec![
        downloads("1,125 downloads of a streamed file, no window", STREAMED, 9, 125),
        downloads("10,000 downloads, no window", LARGE, 100, 100),
        mode("pages of invented hosts", Held, async |stage| shared::hosts(&stage).await),
        through(Through::Http1, downloads("1,125 downloads of an HTTP/1.1 upstream, no window", LARGE, 9, 125)),
        through(Through::Http1, downloads("10,000 downloads of an HTTP/1.1 upstream, no window", LARGE, 100, 100)),
        through(Through::Http2, downloads("16 downloads of an HTTP/2 upstream, no window", LARGE, 1, 16)),
        through(Through::Http2, downloads("1,125 downloads of an HTTP/2 upstream, no window", LARGE, 9, 125)),
        through(Through::Http2, downloads("10,000 downloads of an HTTP/2 upstream, no window", LARGE, 100, 100)),
        through(Through::Http2, resets("resets through an HTTP/2 upstream")),
        through(Through::Http1, uploads("1,200 uploads in drops to an HTTP/1.1 upstream")),
        through(Through::Http2, uploads("1,200 uploads in drops to an HTTP/2 upstream")),
        through(
            Through::Http1,
            mode("odd codings and POST to what is cached", Held, async |stage| shared::cache(&stage).await),
        ),
    ]
}

fn of_slowness() -> Vec<Mode> {
    let begun = |name, ends, bytes: fn() -> Vec<u8>| {
        mode(name, ends, move |stage| async move { slow::begun(&stage, bytes()).await })
    };
    vec![
        mode("no TLS handshake", HANDSHAKE, async |stage| slow::tls(&stage, b"").await),
        mode("half a TLS handshake", HANDSHAKE, async |stage| slow::tls(&stage, slow::HELLO).await),
        begun("no preface", HANDSHAKE, Vec::new),
        begun("half a preface", HANDSHAKE, slow::half_a_preface),
        begun("half a head", HEAD, slow::half_a_head),
        mode("a head in drops", HEAD, async |stage| slow::head(&stage).await),
        mode("uploads in drops", Held, async |stage| slow::uploads(&stage).await),
        begun("idle connections", Held, || greeting(&[])),
        mode("HTTP/1.1 in drops", HEAD, async |stage| slow::http1_head(&stage).await),
        mode("HTTP/1.1, silent", HEAD, async |stage| slow::http1_silent(&stage).await),
        mode("HTTP/1.1 uploads", STALL, async |stage| slow::http1_upload(&stage).await),
        Mode {
            memory: CONNECTIONS,
            ..mode("1,000 connections from one address", AtMost(1000), async |stage| slow::crowd(&stage, 1000).await)
        },
    ]
}

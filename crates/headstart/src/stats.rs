//! Counts for the operator.

use std::sync::atomic::Ordering;

use crate::Headstart;

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Pages shown.
    pub views: u64,
    /// Of these, views that got nothing, as evidence.
    pub held_out: u64,
    /// Promises made.
    pub pushed: u64,
    /// Promises whose response was written whole.
    pub pushes_finished: u64,
    /// Promises that clients cancelled; some of these were finished before.
    pub pushes_cancelled: u64,
    /// Promises that failed or were cut off with their connection.
    pub pushes_unfinished: u64,
    /// Assets named in a 103.
    pub hinted: u64,
    /// Assets named in `Link` only.
    pub linked: u64,
    /// Assets not sent because the client holds them.
    pub held: u64,
    /// Cookies that could not be read.
    pub corrupt_cookies: u64,
    /// Pages that were read.
    #[cfg(feature = "markup")]
    pub reading: crate::ReadingStats,
    /// Connections that [`Headstart::serve`] accepted.
    #[cfg(feature = "serve")]
    pub connections: u64,
    /// Of these, connections that are over.
    #[cfg(feature = "serve")]
    pub connections_ended: u64,
    /// Of these, connections that failed before their first request: no TLS handshake, or silence.
    #[cfg(feature = "serve")]
    pub handshakes_failed: u64,
    /// Of these, connections over HTTP/2 that were ended for what their client sent: something forbidden, or too much.
    #[cfg(feature = "serve")]
    pub connections_forbidden: u64,
    /// Of these, connections over HTTP/2 that were ended as their client took too long.
    #[cfg(feature = "serve")]
    pub connections_timed_out: u64,
    /// Of these, connections that were closed at once, as their address had its share.
    #[cfg(feature = "serve")]
    pub connections_refused: u64,
    /// Of these, idle connections that were closed to make room for others.
    #[cfg(feature = "serve")]
    pub connections_released: u64,
}

impl Headstart {
    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        let counters = &self.engine.counters;
        #[cfg(feature = "serve")]
        let (connections, admission) = (&self.connections.counters, &self.connections.admission);
        Stats {
            views: counters.views.load(Ordering::Relaxed),
            held_out: counters.held_out.load(Ordering::Relaxed),
            pushed: counters.pushed.load(Ordering::Relaxed),
            pushes_finished: counters.pushes_finished.load(Ordering::Relaxed),
            pushes_cancelled: counters.pushes_cancelled.load(Ordering::Relaxed),
            pushes_unfinished: counters.pushes_unfinished.load(Ordering::Relaxed),
            hinted: counters.hinted.load(Ordering::Relaxed),
            linked: counters.linked.load(Ordering::Relaxed),
            held: counters.held.load(Ordering::Relaxed),
            corrupt_cookies: counters.corrupt_cookies.load(Ordering::Relaxed),
            #[cfg(feature = "markup")]
            reading: self.engine.desk.stats(),
            // In this order, so that no more have ended than began.
            #[cfg(feature = "serve")]
            connections_ended: connections.ended.load(Ordering::Relaxed),
            #[cfg(feature = "serve")]
            connections: connections.accepted.load(Ordering::Relaxed),
            #[cfg(feature = "serve")]
            handshakes_failed: connections.handshakes_failed.load(Ordering::Relaxed),
            #[cfg(feature = "serve")]
            connections_forbidden: connections.forbidden.load(Ordering::Relaxed),
            #[cfg(feature = "serve")]
            connections_timed_out: connections.timed_out.load(Ordering::Relaxed),
            #[cfg(feature = "serve")]
            connections_refused: admission.refused(),
            #[cfg(feature = "serve")]
            connections_released: admission.released(),
        }
    }
}

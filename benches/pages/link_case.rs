//! The links over which pages are loaded, and by how many clients at once.

use std::time::Duration;

use crate::link::{CONGESTION_CONTROL, Conditions, Faults};

/// A link by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkCase {
    pub(super) name: &'static str,
    pub(super) round_trip_millis: u64,
    pub(super) kilobits: u64,
    /// The queue before the link, ms.
    pub(super) queue_millis: u64,
    /// The share of packets that are lost.
    pub(super) loss: f64,
    pub(super) jitter_millis: u64,
    /// The standard deviation of the logarithm of the rate.
    pub(super) swing: f64,
    /// The kernel's congestion control of servers.
    pub(super) congestion_control: &'static str,
    /// Clients that load the page at once.
    pub(super) clients: usize,
}

/// The link of most figures: without faults, with a queue of two round trips.
pub(super) const EVEN: LinkCase = LinkCase {
    name: "100 ms, 10 Mbit/s",
    round_trip_millis: 100,
    kilobits: 10_000,
    queue_millis: 200,
    loss: 0.0,
    jitter_millis: 0,
    swing: 0.0,
    congestion_control: CONGESTION_CONTROL,
    clients: 1,
};

/// Links with what real ones have. The two of radio are made up: round trip, mean rate and queue of what operators' reports and
/// measurements commonly show, a rate that swings by half or by a third, and a little loss that the radio does not hide.
pub(super) const FAULTY: [LinkCase; 8] = [
    LinkCase { name: "loss of 0.5 %", loss: 0.005, ..EVEN },
    LinkCase { name: "loss of 2 %", loss: 0.02, ..EVEN },
    LinkCase { name: "jitter of 40 ms", jitter_millis: 40, ..EVEN },
    LinkCase { name: "a queue of one round trip", queue_millis: 100, ..EVEN },
    LinkCase {
        name: "4G: 60 ms, 12 Mbit/s that vary",
        round_trip_millis: 60,
        kilobits: 12_000,
        queue_millis: 400,
        loss: 0.001,
        jitter_millis: 15,
        swing: 0.5,
        ..EVEN
    },
    LinkCase {
        name: "3G: 200 ms, 1.6 Mbit/s that vary",
        round_trip_millis: 200,
        kilobits: 1_600,
        queue_millis: 800,
        loss: 0.002,
        jitter_millis: 40,
        swing: 0.35,
        ..EVEN
    },
    LinkCase { name: "BBR", congestion_control: "bbr", ..EVEN },
    LinkCase { name: "ten clients at once, 50 Mbit/s", kilobits: 50_000, clients: 10, ..EVEN },
];

impl LinkCase {
    /// The conditions of a round: those of one round are the same for all servers.
    pub(super) fn conditions(&self, round: usize) -> Conditions {
        Conditions {
            round_trip: Duration::from_millis(self.round_trip_millis),
            bits_per_second: self.kilobits * 1_000,
            queue: Duration::from_millis(self.queue_millis),
            faults: Faults {
                loss: self.loss,
                jitter: Duration::from_millis(self.jitter_millis),
                swing: self.swing,
                seed: round as u64 + 1,
            },
        }
    }
}

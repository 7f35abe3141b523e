//! Beacons as they come in over HTTP.

use std::net::IpAddr;

use http::HeaderMap;

use crate::Headstart;
use crate::beacon::{BeaconRefusal, BeaconStats, Beacons};
use crate::event::Event;

impl Headstart {
    /// Whether a beacon of this client may be read: to be asked before its body is.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn admit_beacon(&self, client: IpAddr) -> Result<(), BeaconRefusal> {
        let engine = &self.engine;
        let beacons = engine.beacons.as_ref().ok_or(BeaconRefusal::Off)?;
        beacons.admit(engine.identities.network(client), engine.now().as_millis() / 1000)
    }

    /// Takes the body of a POST to [`BEACON_PATH`](crate::BEACON_PATH), with its head and the address of its client, and tells the observers
    /// ([`Event::Beacon`]) if it counts. Nothing is learned from it. [`Builder::beacon`](crate::Builder::beacon) has to be on.
    ///
    /// A beacon is `name=value` fields joined by `&`: `v` (1), `t` (the token), and of [`BeaconReport`](crate::BeaconReport) `lcp`, `fcp`, `ttfb` and
    /// `early` (whole milliseconds), `rtt` (0 to 3) and `used` (a digit for each hinted asset).
    ///
    /// A token is good once, for ten minutes, for the site and the network that it was issued to. A network has one vote in ten
    /// minutes, unless one network is enough to teach.
    ///
    /// # Errors
    ///
    /// Why it does not count. Each reason is counted in [`Headstart::beacon_stats`].
    pub fn take_beacon(
        &self,
        client: IpAddr,
        authority: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), BeaconRefusal> {
        let engine = &self.engine;
        let beacons = engine.beacons.as_ref().ok_or(BeaconRefusal::Off)?;
        let (network, time) = (engine.identities.network(client), engine.now().as_millis() / 1000);
        let report = beacons.take(&authority.to_ascii_lowercase(), network, headers, body, time)?;
        engine.tell(&Event::Beacon(report));
        Ok(())
    }

    /// Counts a beacon that was refused before it was read whole.
    pub fn refuse_beacon(&self, refusal: BeaconRefusal) {
        if let Some(beacons) = &self.engine.beacons {
            beacons.count(refusal);
        }
    }

    /// Counts of beacons since the start, by outcome.
    pub fn beacon_stats(&self) -> BeaconStats {
        self.engine.beacons.as_ref().map(Beacons::stats).unwrap_or_default()
    }
}

//! Receives beacons.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use headstart_learn::NetworkId;
use http::HeaderMap;

use super::rate::Rate;
use super::report::{BeaconReport, Fields};
use super::seen::Seen;
use super::token::{Signer, View};
use crate::client_hints::ClientHints;

/// How long a token is good, seconds.
const GOOD_FOR: u64 = 600;
/// How far the clocks of servers that share a secret may be apart, seconds.
const SKEW: u64 = 5;

/// Why a beacon changes no figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BeaconRefusal {
    /// Beacons are off ([`Builder::beacon`](crate::Builder::beacon)).
    Off,
    /// More came than are taken, from its network or in all.
    TooMany,
    /// Its body is longer than [`MAX_BEACON_BYTES`](super::MAX_BEACON_BYTES).
    TooLarge,
    /// It is none, or its fields are not what they have to be.
    Malformed,
    /// Its token is none of ours, or was issued to another network or for another site.
    Forged,
    /// Its token is older than ten minutes.
    Late,
    /// Its token was used before.
    Replayed,
    /// The client says that it is not to be measured (`Sec-GPC`, `DNT`).
    Unwanted,
    /// Its network has voted in the last ten minutes.
    Voted,
}

impl BeaconRefusal {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Off,
        Self::TooMany,
        Self::TooLarge,
        Self::Malformed,
        Self::Forged,
        Self::Late,
        Self::Replayed,
        Self::Unwanted,
        Self::Voted,
    ];

    /// One word, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::TooMany => "too_many",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::Late => "late",
            Self::Replayed => "replayed",
            Self::Unwanted => "unwanted",
            Self::Voted => "voted",
        }
    }
}

impl fmt::Display for BeaconRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "beacons are off",
            Self::TooMany => "too many beacons",
            Self::TooLarge => "the beacon is too large",
            Self::Malformed => "this is no beacon",
            Self::Forged => "the token is not valid here",
            Self::Late => "the token is too old",
            Self::Replayed => "the token was used before",
            Self::Unwanted => "the client does not want to be measured",
            Self::Voted => "the network has voted lately",
        })
    }
}

impl std::error::Error for BeaconRefusal {}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BeaconStats {
    /// Pages that were given a token.
    pub issued: u64,
    /// Beacons that count.
    pub taken: u64,
    refused: [u64; BeaconRefusal::ALL.len()],
}

impl BeaconStats {
    /// Beacons that were refused, by reason.
    pub fn refused(&self) -> impl Iterator<Item = (BeaconRefusal, u64)> + '_ {
        BeaconRefusal::ALL.into_iter().zip(self.refused)
    }
}

/// Issues tokens and takes beacons. 530 KiB once they are used.
pub(crate) struct Beacons {
    key: [u8; 16],
    /// Whether a network has one vote in ten minutes; not where one is enough to teach.
    one_vote: bool,
    number: AtomicU32,
    state: Mutex<State>,
    issued: AtomicU64,
    taken: AtomicU64,
    refused: [AtomicU64; BeaconRefusal::ALL.len()],
}

#[derive(Debug, Default)]
struct State {
    rate: Rate,
    tokens: Seen,
    votes: Seen,
}

impl Beacons {
    /// `number` is where the views of this process are counted from: another one at each start.
    pub(crate) fn new(key: [u8; 16], one_vote: bool, number: u32) -> Self {
        Self {
            key,
            one_vote,
            number: AtomicU32::new(number),
            state: Mutex::default(),
            issued: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            refused: Default::default(),
        }
    }

    /// The token of a view, for a client of this network. The number of the view is given here.
    pub(crate) fn issue(&self, authority: &str, network: NetworkId, view: View) -> String {
        self.issued.fetch_add(1, Ordering::Relaxed);
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        Signer { key: &self.key, authority, network }.sign(&View { number, ..view })
    }

    /// Whether a beacon of this network may be read. `time` is in seconds since 1970.
    pub(crate) fn admit(&self, network: NetworkId, time: u64) -> Result<(), BeaconRefusal> {
        let admits = self.lock(|state| state.rate.admits(network.get(), time));
        if admits { Ok(()) } else { Err(self.count(BeaconRefusal::TooMany)) }
    }

    /// Checks a beacon.
    pub(crate) fn take(
        &self,
        authority: &str,
        network: NetworkId,
        headers: &HeaderMap,
        body: &[u8],
        time: u64,
    ) -> Result<BeaconReport, BeaconRefusal> {
        let report = self.check(authority, network, headers, body, time).map_err(|refusal| self.count(refusal))?;
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(report)
    }

    fn check(
        &self,
        authority: &str,
        network: NetworkId,
        headers: &HeaderMap,
        body: &[u8],
        time: u64,
    ) -> Result<BeaconReport, BeaconRefusal> {
        if body.len() > super::MAX_BEACON_BYTES {
            return Err(BeaconRefusal::TooLarge);
        }
        let fields = Fields::read(body).ok_or(BeaconRefusal::Malformed)?;
        let token = fields.token().ok_or(BeaconRefusal::Malformed)?;
        let signer = Signer { key: &self.key, authority, network };
        let (view, signature) = signer.verify(token).ok_or(BeaconRefusal::Forged)?;
        let issued = u64::from(view.time);
        if time > issued + GOOD_FOR || issued > time + SKEW {
            return Err(BeaconRefusal::Late);
        }
        if ClientHints::of(headers).no_tracking {
            return Err(BeaconRefusal::Unwanted);
        }
        if !self.lock(|state| state.tokens.is_new(signature, time)) {
            return Err(BeaconRefusal::Replayed);
        }
        let report = fields.report(&view).ok_or(BeaconRefusal::Malformed)?;
        if self.one_vote && !self.lock(|state| state.votes.is_new(network.get(), time)) {
            return Err(BeaconRefusal::Voted);
        }
        Ok(report)
    }

    /// Counts a refusal, and returns it.
    pub(crate) fn count(&self, refusal: BeaconRefusal) -> BeaconRefusal {
        let at = BeaconRefusal::ALL.iter().position(|known| *known == refusal);
        if let Some(count) = at.and_then(|at| self.refused.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        refusal
    }

    pub(crate) fn stats(&self) -> BeaconStats {
        let mut refused = [0; BeaconRefusal::ALL.len()];
        for (to, from) in refused.iter_mut().zip(&self.refused) {
            *to = from.load(Ordering::Relaxed);
        }
        let (issued, taken) = (self.issued.load(Ordering::Relaxed), self.taken.load(Ordering::Relaxed));
        BeaconStats { issued, taken, refused }
    }

    fn lock<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // A panic under the lock leaves one beacon too many or too few.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use headstart_learn::{ClientClass, Draw};

    use super::*;
    use crate::view::Outlet;

    const NOW: u64 = 1_700_000_000;

    fn view(time: u64) -> View {
        View {
            outlet: Outlet::EarlyHints,
            draw: Draw { chance: 0.25, held_out: true },
            aa: false,
            returning: false,
            class: ClientClass::Other,
            page: 9,
            hinted: 2,
            time: time as u32,
            number: 0,
        }
    }

    struct Bed(Beacons);

    impl Bed {
        fn new() -> Self {
            Bed(Beacons::new([7; 16], true, 5))
        }

        fn token(&self, network: u64) -> String {
            self.0.issue("a.example", NetworkId::new(network), view(NOW))
        }

        fn send(&self, network: u64, body: &str, time: u64) -> Result<BeaconReport, BeaconRefusal> {
            self.0.take("a.example", NetworkId::new(network), &HeaderMap::new(), body.as_bytes(), time)
        }
    }

    fn body(token: &str) -> String {
        format!("v=1&t={token}&lcp=1000&used=10")
    }

    #[test]
    fn a_token_counts_once_and_for_ten_minutes() {
        let bed = Bed::new();
        let token = bed.token(1);
        let report = bed.send(1, &body(&token), NOW + 599).unwrap();
        assert!(report.held_out && (report.holdout_probability - 0.25).abs() < 1e-3);
        assert_eq!((report.hinted, report.used.len()), (2, 2));
        for _ in 0..3 {
            assert_eq!(bed.send(1, &body(&token), NOW + 600), Err(BeaconRefusal::Replayed));
        }
        assert_eq!(bed.send(2, &body(&bed.token(2)), NOW + 601), Err(BeaconRefusal::Late));
        assert_eq!(bed.send(2, &body(&bed.token(2)), NOW - 6), Err(BeaconRefusal::Late), "of the future");
        assert_eq!(bed.0.stats().taken, 1);
    }

    #[test]
    fn forged_and_stolen_tokens_count_nothing() {
        let bed = Bed::new();
        let token = bed.token(1);
        assert_eq!(bed.send(2, &body(&token), NOW), Err(BeaconRefusal::Forged), "of another network");
        let other = bed.0.take("b.example", NetworkId::new(1), &HeaderMap::new(), body(&token).as_bytes(), NOW);
        assert_eq!(other, Err(BeaconRefusal::Forged), "of another site");
        assert_eq!(bed.send(1, &body(&"A".repeat(32)), NOW), Err(BeaconRefusal::Forged));
        assert_eq!(bed.send(1, "v=1&lcp=1", NOW), Err(BeaconRefusal::Malformed));
        let large = format!("{}&x={}", body(&token), "x".repeat(20_000));
        assert_eq!(bed.send(1, &large, NOW), Err(BeaconRefusal::TooLarge));
        assert_eq!(bed.0.stats().taken, 0);
        assert_eq!(bed.0.stats().refused().map(|(_, count)| count).sum::<u64>(), 5, "all are counted");
    }

    /// A visitor with as many true tokens as views, who says what he likes, is one clipped voice in ten minutes.
    #[test]
    fn a_network_has_one_vote_in_ten_minutes() {
        let bed = Bed::new();
        let counted = (0..100).filter(|_| bed.send(1, &body(&bed.token(1)), NOW).is_ok()).count();
        assert_eq!(counted, 1);
        assert!(bed.send(2, &body(&bed.token(2)), NOW).is_ok(), "another network has its own");
        let local = Beacons::new([7; 16], false, 5);
        let counted = (0..100).filter(|_| {
            let token = local.issue("a.example", NetworkId::new(1), view(NOW));
            local.take("a.example", NetworkId::new(1), &HeaderMap::new(), body(&token).as_bytes(), NOW).is_ok()
        });
        assert_eq!(counted.count(), 100, "where one network is enough, all votes count");
    }

    #[test]
    fn who_does_not_want_to_be_measured_is_not() {
        let bed = Bed::new();
        for name in ["sec-gpc", "dnt"] {
            let token = bed.token(1);
            let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), "1".parse().unwrap())]);
            let answered = bed.0.take("a.example", NetworkId::new(1), &headers, body(&token).as_bytes(), NOW);
            assert_eq!(answered, Err(BeaconRefusal::Unwanted), "{name}");
        }
    }

    #[test]
    fn a_flood_is_turned_away_before_it_is_read() {
        let bed = Bed::new();
        let admitted = (0..5_000).filter(|_| bed.0.admit(NetworkId::new(1), NOW).is_ok()).count();
        assert!(admitted < 100, "{admitted}");
        assert!(bed.0.admit(NetworkId::new(2), NOW).is_ok());
    }

    #[test]
    fn any_body_is_refused_and_none_is_fatal() {
        let bed = Bed::new();
        let mut seed = 1_u64;
        for length in 0..2_000 {
            let bytes: Vec<u8> = (0..length % 300)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 56) as u8
                })
                .collect();
            assert!(bed.0.take("a.example", NetworkId::new(1), &HeaderMap::new(), &bytes, NOW).is_err());
        }
    }
}

//! The content of a beacon.

use std::time::Duration;

use headstart_learn::ClientClass;

use super::token::{MAX_HINTED, View};
use crate::view::Outlet;

/// No time is believed to be longer.
const LONGEST: Duration = Duration::from_secs(60);

/// A browser's report of a page view of which the server has issued the token. Nothing in it identifies the visitor.
///
/// Times count from the start of the navigation in the browser, and are clipped to 60 s. What a browser does not know it
/// does not say.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BeaconReport {
    /// The way that was open to this client.
    pub outlet: Outlet,
    /// The class of the client's device.
    pub class: ClientClass,
    /// The client held some of what was planned.
    pub returning: bool,
    /// The view was drawn to get nothing early.
    pub held_out: bool,
    /// The probability with which it was.
    pub holdout_probability: f32,
    /// Hold-outs got help like others.
    pub aa: bool,
    /// A keyed hash of the page, shortened to 32 bits.
    pub page: u32,
    /// `lcp`: the largest contentful paint, since the navigation began.
    pub largest_contentful_paint: Option<Duration>,
    /// `fcp`: the first contentful paint, since the navigation began.
    pub first_contentful_paint: Option<Duration>,
    /// `ttfb`: the first byte of the final response, since the navigation began.
    pub first_byte: Option<Duration>,
    /// `early`: the first byte of the first interim response, since the navigation began.
    pub interim_response: Option<Duration>,
    /// `rtt`: how long a round trip takes, in classes.
    pub round_trip: RoundTrip,
    /// Assets that were hinted, 32 at most.
    pub hinted: u32,
    /// `used`: which of these the page has used, by their index in the plan. Resource Timing tells it where the final response
    /// repeats no hint.
    pub used: Vec<bool>,
}

/// Classes of round-trip times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RoundTrip {
    /// The browser does not tell.
    #[default]
    Unknown,
    /// Below 75 ms.
    Near,
    /// From 75 ms to 250 ms.
    Middle,
    /// 250 ms and more.
    Far,
}

/// The fields of a beacon: `name=value`, joined by `&`.
pub(super) struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    /// `None` if the body is no text, or of another version.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let fields = Fields(std::str::from_utf8(body).ok()?);
        (fields.get("v") == Some("1")).then_some(fields)
    }

    /// The first field of a name, among the first sixteen fields.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.split('&').take(16).find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }

    pub(super) fn token(&self) -> Option<&'a str> {
        self.get("t")
    }

    /// The report of a view; `None` if a field has a value that it cannot have.
    pub(super) fn report(&self, view: &View) -> Option<BeaconReport> {
        let round_trip = match self.get("rtt") {
            None | Some("0") => RoundTrip::Unknown,
            Some("1") => RoundTrip::Near,
            Some("2") => RoundTrip::Middle,
            Some("3") => RoundTrip::Far,
            Some(_) => return None,
        };
        let hinted = usize::from(view.hinted).min(MAX_HINTED);
        let used = self.get("used").unwrap_or_default();
        if used.len() > hinted || used.bytes().any(|digit| digit != b'0' && digit != b'1') {
            return None;
        }
        Some(BeaconReport {
            outlet: view.outlet,
            class: view.class,
            returning: view.returning,
            held_out: view.draw.held_out,
            holdout_probability: view.draw.chance,
            aa: view.aa,
            page: view.page,
            largest_contentful_paint: self.time("lcp").ok()?,
            first_contentful_paint: self.time("fcp").ok()?,
            first_byte: self.time("ttfb").ok()?,
            interim_response: self.time("early").ok()?,
            round_trip,
            hinted: hinted as u32,
            used: used.bytes().map(|digit| digit == b'1').collect(),
        })
    }

    /// Whole milliseconds, clipped; 0 and no field are a time that the browser does not know.
    fn time(&self, name: &str) -> Result<Option<Duration>, NoNumber> {
        let Some(text) = self.get(name) else { return Ok(None) };
        if text.is_empty() || text.len() > 10 || !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NoNumber);
        }
        let time = Duration::from_millis(text.parse().map_err(|_| NoNumber)?);
        Ok((!time.is_zero()).then(|| time.min(LONGEST)))
    }
}

/// A field that has to be a number is none.
struct NoNumber;

#[cfg(test)]
mod tests {
    use headstart_learn::Draw;

    use super::*;

    fn view() -> View {
        View {
            outlet: Outlet::EarlyHints,
            draw: Draw { chance: 0.5, held_out: false },
            aa: false,
            returning: false,
            class: ClientClass::Other,
            page: 1,
            hinted: 3,
            time: 0,
            number: 0,
        }
    }

    fn report(body: &str) -> Option<BeaconReport> {
        Fields::read(body.as_bytes())?.report(&view())
    }

    #[test]
    fn a_report_is_read_field_by_field() {
        let report = report("v=1&t=x&lcp=1234&fcp=900&ttfb=0&early=80&rtt=2&used=101&new=1").unwrap();
        assert_eq!(report.largest_contentful_paint, Some(Duration::from_millis(1234)));
        assert_eq!((report.first_byte, report.interim_response), (None, Some(Duration::from_millis(80))));
        assert_eq!((report.round_trip, report.used), (RoundTrip::Middle, vec![true, false, true]));
        let empty = self::report("v=1").unwrap();
        assert_eq!((empty.largest_contentful_paint, empty.used.len()), (None, 0));
    }

    #[test]
    fn what_is_too_long_is_clipped_and_what_is_no_time_is_refused() {
        let report = report("v=1&lcp=9999999999").unwrap();
        assert_eq!(report.largest_contentful_paint, Some(LONGEST));
        for odd in
            ["lcp=-1", "lcp=1.5", "lcp=1e3", "fcp=99999999999", "lcp=", "rtt=4", "rtt=NaN", "used=1111", "used=2"]
        {
            assert_eq!(self::report(&format!("v=1&{odd}")), None, "{odd}");
        }
        for odd in ["", "v=2", "lcp=1", "v=1x", "\u{0}"] {
            assert!(self::report(odd).is_none(), "{odd}");
        }
        assert!(Fields::read(&[0xff, 0xfe]).is_none());
    }
}

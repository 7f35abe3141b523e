//! Page views as browsers report them, if the operator wants it: measurement, from which nothing is learned.
//!
//! A page that is shown carries a token in `Server-Timing`. A script that the operator includes reads it there and sends it back
//! with what the server cannot see, when the page is hidden. What comes back is checked here: the token is ours, of this network,
//! young, and used once; a network has one vote in ten minutes; what is reported is clipped.

mod desk;
mod rate;
mod report;
mod seen;
mod token;

pub use self::desk::{BeaconRefusal, BeaconStats};
pub use self::report::{BeaconReport, RoundTrip};

pub(crate) use self::desk::Beacons;
pub(crate) use self::token::{View, server_timing};

/// Below it, nothing is a page or an asset of the site.
pub const BEACON_PREFIX: &str = "/.well-known/headstart/";
/// Path of the script, for `<script src="/.well-known/headstart/beacon.js" defer></script>` in pages.
pub const BEACON_SCRIPT_PATH: &str = "/.well-known/headstart/beacon.js";
/// The script, `text/javascript`.
pub const BEACON_SCRIPT: &str = include_str!("script.js");
/// Path to which the script POSTs its reports.
pub const BEACON_PATH: &str = "/.well-known/headstart/beacon";
/// The longest body that is read, bytes.
pub const MAX_BEACON_BYTES: usize = 16 << 10;

#[cfg(all(test, feature = "markup"))]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::BEACON_SCRIPT;

    #[test]
    fn the_script_takes_a_packet_and_no_more() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(BEACON_SCRIPT.as_bytes()).unwrap();
        let bytes = packed.finish().unwrap().len();
        assert!(bytes <= 1500, "{bytes} bytes compressed");
    }
}

//! The formats of the cookie that says what a client holds.

/// The format in which a server writes its cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieFormat {
    /// `__Host-headstart`: keyed, at most 1,024 bytes, kept 7 days, aware of assets that changed.
    #[default]
    Headstart,
    /// `x-go-casper` of the Go library go-casper, byte for byte, for sites that move over: `keys` and `p` as they
    /// were given to `casper.New(p, keys)`. Neither keyed nor aware of changes; a full set is replaced by an empty one.
    GoCasper {
        /// The expected number of assets, the second argument of `casper.New`.
        keys: u32,
        /// The false-positive rate is 1/p; a power of two, at least 64 (below, the format is ambiguous).
        p: u32,
    },
    /// `h2o_casper` of the H2O server, byte for byte as a little-endian machine writes it. Neither keyed nor aware of
    /// changes.
    H2oCasper {
        /// H2O's `capacity-bits`, 1 to 15; its default is 13.
        capacity_bits: u32,
    },
    /// No cookie: what a client holds is known on its connection only.
    Off,
}

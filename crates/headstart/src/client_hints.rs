//! What a client says of its preferences in request fields.

use http::HeaderMap;

/// Preferences in the fields of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHints {
    /// `Save-Data: on`: nothing is sent early.
    pub(crate) save_data: bool,
    /// `DNT: 1` or `Sec-GPC: 1`: no cookie is set, and one that the client has is not read.
    pub(crate) no_tracking: bool,
    /// `No-Early-Hints: 1`, a field of H2O: no 103 is sent.
    pub(crate) no_early_hints: bool,
}

impl ClientHints {
    /// Reads the fields in one walk, which costs less than three lookups. The first of several fields of a name counts.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut hints = ClientHints::default();
        for name in headers.keys() {
            let is = |text: &str| headers.get(name).is_some_and(|value| value.as_bytes() == text.as_bytes());
            match name.as_str() {
                "dnt" | "sec-gpc" => hints.no_tracking |= is("1"),
                "no-early-hints" => hints.no_early_hints = is("1"),
                "save-data" => {
                    hints.save_data =
                        headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"on"));
                }
                _ => {}
            }
        }
        hints
    }
}

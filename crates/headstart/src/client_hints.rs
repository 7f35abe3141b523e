//! Preferences of a client in its request fields.

use http::HeaderMap;

/// Preferences in the fields of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "fields of a request, independent of each other")]
pub(crate) struct ClientHints {
    /// `Save-Data: on`: nothing is sent early.
    pub(crate) save_data: bool,
    /// `DNT: 1` or `Sec-GPC: 1`: no cookie is set, and one that the client has is not read.
    pub(crate) no_tracking: bool,
    /// `No-Early-Hints: 1`, a field of H2O: no 103 is sent.
    pub(crate) no_early_hints: bool,
    /// `Cache-Control: no-cache` or `Pragma: no-cache`: a forced reload, which uses nothing of what the client holds.
    pub(crate) reload: bool,
    /// The client is a phone: `Sec-CH-UA-Mobile: ?1`, or where that field is not sent, a `User-Agent` with `Mobi`.
    pub(crate) mobile: bool,
}

impl ClientHints {
    /// Reads the fields in one walk, which costs less than three lookups. The first of several fields of a name counts.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut hints = ClientHints::default();
        let (mut mobile, mut mobile_agent) = (None, false);
        for name in headers.keys() {
            let is = |text: &str| headers.get(name).is_some_and(|value| value.as_bytes() == text.as_bytes());
            match name.as_str() {
                "dnt" | "sec-gpc" => hints.no_tracking |= is("1"),
                "cache-control" | "pragma" => hints.reload |= is("no-cache"),
                "no-early-hints" => hints.no_early_hints = is("1"),
                "save-data" => {
                    hints.save_data =
                        headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"on"));
                }
                "sec-ch-ua-mobile" => mobile = Some(is("?1")),
                "user-agent" => {
                    let agent = headers.get(name).map_or(&[][..], |agent| agent.as_bytes());
                    mobile_agent = is_phone(agent);
                }
                _ => {}
            }
        }
        hints.mobile = mobile.unwrap_or(mobile_agent);
        hints
    }
}

/// Whether a `User-Agent` is that of a phone.
pub(crate) fn is_phone(user_agent: &[u8]) -> bool {
    user_agent.windows(4).any(|part| part == b"Mobi")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderName;

    fn hints(fields: &[(&'static str, &str)]) -> ClientHints {
        let named = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        ClientHints::of(&fields.iter().map(named).collect())
    }

    #[test]
    fn a_phone_says_so_in_its_hint_and_else_in_its_agent() {
        const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36";
        const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
        assert!(hints(&[("user-agent", PHONE)]).mobile);
        assert!(!hints(&[("user-agent", DESKTOP)]).mobile);
        assert!(!hints(&[("user-agent", PHONE), ("sec-ch-ua-mobile", "?0")]).mobile);
        assert!(hints(&[("user-agent", DESKTOP), ("sec-ch-ua-mobile", "?1")]).mobile);
        assert!(!hints(&[]).mobile);
    }

    #[test]
    fn preferences_are_read() {
        assert!(hints(&[("save-data", "ON")]).save_data && !hints(&[("save-data", "off")]).save_data);
        assert!(hints(&[("dnt", "1"), ("sec-gpc", "0")]).no_tracking && !hints(&[("dnt", "0")]).no_tracking);
        assert!(hints(&[("no-early-hints", "1")]).no_early_hints);
    }
}

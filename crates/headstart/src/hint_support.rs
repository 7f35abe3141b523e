//! Clients that fetch what a 103 names, so that the final response need not repeat it.

use http::HeaderMap;
use http::header::{FORWARDED, USER_AGENT, VIA};

/// Whether the client acts on the preloads of a 103 and gets it: Chromium and Firefox do, and no proxy in between tells
/// of itself, which might have dropped it.
///
/// For these a second `Link` is not written: Chromium checks it against the page's policies and reports what the 103 had
/// fetched in peace, and Resource Timing then lists hints that the page does not use as if it did. Safari takes only
/// `preconnect` from a 103, and needs both.
pub(crate) fn acts_on_preloads(headers: &HeaderMap) -> bool {
    let forwarded =
        || headers.contains_key(VIA) || headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    // On iOS both are Safari inside and call themselves CriOS and FxiOS.
    let since = |name: &str, first: u32| {
        let version = agent.split_once(name).map(|(_, rest)| rest.split('.').next().unwrap_or_default());
        version.and_then(|version| version.parse::<u32>().ok()).is_some_and(|version| version >= first)
    };
    (since("Chrome/", 103) || since("Firefox/", 123)) && !forwarded()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chromium_and_firefox_do_and_others_do_not() {
        let acts = |agent: &str| acts_on_preloads(&HeaderMap::from_iter([(USER_AGENT, agent.parse().unwrap())]));
        assert!(acts("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"));
        assert!(acts("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"));
        for agent in [
            "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
            "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 CriOS/156.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 Chrome/99.0.1 Safari/537.36",
            "Mozilla/5.0 Firefox/115.0",
            "curl/8.0",
            "",
        ] {
            assert!(!acts(agent), "{agent}");
        }
        let mut proxied = HeaderMap::from_iter([(USER_AGENT, "Chrome/156.0".parse().unwrap())]);
        assert!(acts_on_preloads(&proxied));
        proxied.insert(VIA, "1.1 proxy".parse().unwrap());
        assert!(!acts_on_preloads(&proxied));
    }
}

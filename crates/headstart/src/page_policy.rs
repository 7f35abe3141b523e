//! The policies of a page as they concern preloads: Content-Security-Policy, in fields and in `<meta>`, and
//! Integrity-Policy.
//!
//! A browser checks a preload of a 103 against the policies that it knows then, which are none, and those of a `Link` on
//! the page against the page's. Chromium reports what a page admits by nonce or hash only and a `Link` names without the
//! nonce; Firefox fetches it twice, if a 103 named it, on every visit.

use headstart_learn::Destination;
use http::header::{self, HeaderMap, HeaderName};

const INTEGRITY_POLICIES: [HeaderName; 2] =
    [HeaderName::from_static("integrity-policy"), HeaderName::from_static("integrity-policy-report-only")];

/// Longest policy that is read, bytes; a longer one admits nothing.
const MAX_POLICY_BYTES: usize = 8 << 10;

/// How a page admits an asset of its own origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Admission {
    /// Not, or by a hash of its content only.
    Not,
    /// If its element carries the nonce of the response.
    ByNonce,
    /// By its URL.
    #[default]
    Freely,
}

/// The assets that a page admits. A policy that only reports counts like one that is enforced: a report is a fault too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PagePolicy {
    fonts: Admission,
    images: Admission,
    scripts: Admission,
    styles: Admission,
    /// Scripts, or styles, need `integrity`.
    checked_scripts: bool,
    checked_styles: bool,
}

impl PagePolicy {
    /// The policies in the fields of a page's response, for a page of this authority.
    pub(crate) fn of(headers: &HeaderMap, authority: &str) -> Self {
        let mut policy = PagePolicy::default();
        for name in [header::CONTENT_SECURITY_POLICY, header::CONTENT_SECURITY_POLICY_REPORT_ONLY] {
            for value in headers.get_all(name) {
                policy.restrict(value.to_str().unwrap_or_default(), authority);
            }
        }
        for value in INTEGRITY_POLICIES.iter().flat_map(|name| headers.get_all(name)) {
            // A dictionary with lists of tokens (RFC 9651); no other member holds these words.
            let value = value.to_str().unwrap_or_default();
            policy.checked_scripts |= value.contains("script");
            policy.checked_styles |= value.contains("style");
        }
        policy
    }

    /// Adds what a list of serialized policies forbids.
    pub(crate) fn restrict(&mut self, policies: &str, authority: &str) {
        if policies.len() > MAX_POLICY_BYTES {
            *self = PagePolicy { fonts: Admission::Not, images: Admission::Not, ..*self };
            (self.scripts, self.styles) = (Admission::Not, Admission::Not);
            return;
        }
        for policy in policies.split(',') {
            let sources = |names: &[&str]| {
                // The first directive of a name counts.
                let of_name = |wanted: &&str| {
                    policy.split(';').find_map(|directive| {
                        let directive = directive.trim();
                        let (name, sources) =
                            directive.split_once(|char: char| char.is_ascii_whitespace()).unwrap_or((directive, ""));
                        name.eq_ignore_ascii_case(wanted).then_some(sources)
                    })
                };
                names.iter().find_map(of_name)
            };
            let admitted = |names: &[&str], script| {
                sources(names).map_or(Admission::Freely, |sources| admission(sources, authority, script))
            };
            self.scripts = self.scripts.min(admitted(&["script-src-elem", "script-src", "default-src"], true));
            self.styles = self.styles.min(admitted(&["style-src-elem", "style-src", "default-src"], false));
            self.fonts = self.fonts.min(admitted(&["font-src", "default-src"], false));
            self.images = self.images.min(admitted(&["img-src", "default-src"], false));
        }
    }

    /// The intersection of both policies.
    pub(crate) fn and(self, other: PagePolicy) -> Self {
        PagePolicy {
            fonts: self.fonts.min(other.fonts),
            images: self.images.min(other.images),
            scripts: self.scripts.min(other.scripts),
            styles: self.styles.min(other.styles),
            checked_scripts: self.checked_scripts || other.checked_scripts,
            checked_styles: self.checked_styles || other.checked_styles,
        }
    }

    /// How an asset of the page's origin is admitted, fetched as this.
    pub(crate) fn admission(self, destination: Destination) -> Admission {
        match destination {
            Destination::Font => self.fonts,
            Destination::Image => self.images,
            Destination::Script => self.scripts,
            Destination::Style => self.styles,
            _ => Admission::Freely,
        }
    }

    /// Whether it is admitted with `integrity` only.
    pub(crate) fn wants_integrity(self, destination: Destination) -> bool {
        match destination {
            Destination::Script => self.checked_scripts,
            Destination::Style => self.checked_styles,
            _ => false,
        }
    }

    /// Whether a 103 may name it: a browser that acts on one does not know the page's policy yet.
    pub(crate) fn admits_in_early_hints(self, destination: Destination) -> bool {
        self.admission(destination) == Admission::Freely && !self.wants_integrity(destination)
    }
}

/// The nonce of a response's policies, if all that have one have the same.
pub(crate) fn nonce(headers: &HeaderMap) -> Option<&str> {
    let mut found = None;
    for name in [header::CONTENT_SECURITY_POLICY, header::CONTENT_SECURITY_POLICY_REPORT_ONLY] {
        for value in headers.get_all(name) {
            let text = value.to_str().ok()?;
            for source in text.split(|char: char| char.is_ascii_whitespace() || matches!(char, ';' | ',')) {
                if let Some(nonce) = quoted(source, "nonce-") {
                    if found.is_some_and(|found| found != nonce) {
                        return None;
                    }
                    found = Some(nonce);
                }
            }
        }
    }
    found
}

/// The rest of a keyword source that begins so.
fn quoted<'a>(source: &'a str, prefix: &str) -> Option<&'a str> {
    let inner = source.strip_prefix('\'')?.strip_suffix('\'')?;
    let (start, rest) = inner.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// How a source list admits an asset of the page's own origin (Content Security Policy 3, 6.7.2).
fn admission(sources: &str, authority: &str, script: bool) -> Admission {
    let (mut by_url, mut by_nonce, mut strict_dynamic) = (false, false, false);
    for source in sources.split_ascii_whitespace() {
        if source.eq_ignore_ascii_case("'self'") {
            by_url = true;
        } else if source.eq_ignore_ascii_case("'strict-dynamic'") {
            strict_dynamic = script;
        } else if quoted(source, "nonce-").is_some() {
            by_nonce = true;
        } else if !source.starts_with('\'') {
            by_url |= names_host(source, authority);
        }
    }
    // With `'strict-dynamic'` both browsers use plain preloads of scripts that carry a nonce or are loaded by one.
    if (strict_dynamic && by_nonce) || (by_url && !strict_dynamic) {
        Admission::Freely
    } else if by_nonce {
        Admission::ByNonce
    } else {
        Admission::Not
    }
}

/// Whether a scheme or host source admits all of this authority.
fn names_host(source: &str, authority: &str) -> bool {
    if source == "*" || source.eq_ignore_ascii_case("https:") || source.eq_ignore_ascii_case("http:") {
        return true;
    }
    let rest = source.split_once("://").map_or(source, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.to_ascii_lowercase();
    let bare = |host: &str| host.strip_suffix(":443").or_else(|| host.strip_suffix(":*")).unwrap_or(host).to_owned();
    let (host, authority) = (bare(&host), bare(authority));
    path.is_empty()
        && match host.strip_prefix("*.") {
            Some(parent) => authority.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
            None => host == authority || Some(&*host) == authority.split(':').next().filter(|_| source.ends_with(":*")),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(policies: &str, scripts: Admission, styles: Admission) {
        let mut policy = PagePolicy::default();
        policy.restrict(policies, "a.example");
        assert_eq!((policy.scripts, policy.styles), (scripts, styles), "{policies}");
    }

    #[test]
    fn source_lists_admit_by_url_by_nonce_or_not() {
        use Admission::{ByNonce, Freely, Not};
        check("", Freely, Freely);
        check("default-src 'self'", Freely, Freely);
        check("Default-Src 'none'", Not, Not);
        check("script-src 'nonce-abc'; style-src 'self'", ByNonce, Freely);
        check("script-src 'self' 'nonce-abc'", Freely, Freely);
        check("script-src 'nonce-abc' 'strict-dynamic' https:", Freely, Freely);
        check("script-src 'strict-dynamic' 'self'", Not, Freely);
        check("script-src 'sha256-abc='; style-src 'sha256-x'", Not, Not);
        check("default-src 'nonce-x'; script-src-elem *", Freely, ByNonce);
        check("style-src https://a.example 'unsafe-inline'", Freely, Freely);
        check("style-src *.example; script-src cdn.example", Not, Freely);
        check("script-src a.example/js/", Not, Freely);
        check("script-src 'self'; script-src 'none'", Freely, Freely);
        // Several policies: each must admit.
        check("script-src 'self', script-src 'nonce-x'", ByNonce, Freely);
        check(&format!("script-src 'self' {}", "x".repeat(MAX_POLICY_BYTES)), Not, Not);
    }

    #[test]
    fn fields_are_read() {
        let headers = |fields: &[(&'static str, &str)]| -> HeaderMap {
            fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
        };
        let strict =
            headers(&[("content-security-policy-report-only", "script-src 'nonce-r4nd'; style-src 'nonce-r4nd'")]);
        let policy = PagePolicy::of(&strict, "a.example");
        assert!(!policy.admits_in_early_hints(Destination::Script));
        assert!(policy.admits_in_early_hints(Destination::Image));
        assert_eq!(nonce(&strict), Some("r4nd"));
        let two = headers(&[("content-security-policy", "script-src 'nonce-a'; style-src 'nonce-b'")]);
        assert_eq!(nonce(&two), None);
        let checked = headers(&[("integrity-policy", "blocked-destinations=(script), endpoints=(x)")]);
        let policy = PagePolicy::of(&checked, "a.example");
        assert!(policy.wants_integrity(Destination::Script) && !policy.wants_integrity(Destination::Style));
        assert!(!policy.admits_in_early_hints(Destination::Script));
    }
}

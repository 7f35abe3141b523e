//! The policies of the Referrer Policy standard (section 3).

use headstart_learn::ReferrerPolicy;

/// Each policy, and how requests that a page of this policy causes name the page.
const POLICIES: [(&str, ReferrerPolicy); 8] = [
    ("no-referrer", ReferrerPolicy::Origin),
    ("no-referrer-when-downgrade", ReferrerPolicy::Full),
    ("origin", ReferrerPolicy::Origin),
    ("origin-when-cross-origin", ReferrerPolicy::Full),
    ("same-origin", ReferrerPolicy::Full),
    ("strict-origin", ReferrerPolicy::Origin),
    ("strict-origin-when-cross-origin", ReferrerPolicy::Full),
    ("unsafe-url", ReferrerPolicy::Full),
];

/// The policy that this text names, without regard to case, and its effect.
pub(crate) fn known(text: &str) -> Option<(&'static str, ReferrerPolicy)> {
    POLICIES.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name))
}

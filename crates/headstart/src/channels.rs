//! How responses can be announced or sent early on a connection.

use crate::view::Outlet;

/// The channels that a connection offers. `Link` on the final response is always possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channels {
    /// PUSH_PROMISE (RFC 9113, section 8.4).
    pub(crate) push: bool,
    /// 103 Early Hints (RFC 8297).
    pub(crate) early_hints: bool,
}

impl Channels {
    /// `Link` on the final response alone.
    pub(crate) const LINK_ONLY: Self = Channels { push: false, early_hints: false };

    /// The outlet for a page view; `accepts_early_hints` tells whether this client acts on a 103.
    pub(crate) fn outlet(self, accepts_early_hints: bool) -> Outlet {
        if self.push {
            Outlet::Push
        } else if self.early_hints && accepts_early_hints {
            Outlet::EarlyHints
        } else {
            Outlet::Link
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_comes_before_early_hints_and_these_before_link() {
        let outlet = |push, early_hints, accepts| Channels { push, early_hints }.outlet(accepts);
        assert_eq!(outlet(true, true, true), Outlet::Push);
        assert_eq!(outlet(true, true, false), Outlet::Push);
        assert_eq!(outlet(false, true, true), Outlet::EarlyHints);
        assert_eq!(outlet(false, true, false), Outlet::Link);
        assert_eq!(Channels::LINK_ONLY.outlet(true), Outlet::Link);
    }
}

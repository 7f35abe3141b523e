//! The decisions for one page view, to be read.

use std::fmt;
use std::sync::Arc;

use headstart_learn::Knowledge;
use headstart_policy::Refusal;

/// How a page's assets were sent early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outlet {
    /// A 103 (Early Hints), and the same `Link` fields on the page.
    EarlyHints,
    /// `Link: rel=preload` on the page only.
    Link,
    /// HTTP/2 pushes.
    Push,
}

/// The decision on one asset of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// The client is known to hold it, by its cookie or because this connection sent it.
    Held,
    /// This view is one of those that get nothing, to measure what pages need by themselves.
    HeldOut,
    /// Named in a 103.
    Hinted,
    /// Named in `Link`.
    Linked,
    /// Left out, for this reason.
    Omitted(Reason),
    /// Promised with PUSH_PROMISE.
    Pushed,
}

/// Why an asset was neither sent nor held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The page's budget of pushes or bytes is spent.
    Budget,
    /// The driver did not promise it.
    Driver(Refusal),
    /// Clients that a 103 told of it fetched it a second time for the page, which could not use the hint.
    FetchedTwice,
    /// The application said so (`nopush`).
    Forbidden,
    /// No hint would be used: browsers preload nothing for such an element.
    Inexpressible,
    /// Its response is not one that may be pushed: not 200, private, or it sets a cookie.
    NotPushable,
    /// The page's own policy (Content-Security-Policy, Integrity-Policy) does not admit a hint of it.
    Policy,
    /// The page itself puts it off: `loading=lazy`, `fetchpriority=low`, a `media` that screens do not match.
    PutOff,
    /// A rule of the operator forbids it ([`Rules`](crate::Rules)).
    Rule,
    /// The client asked for little data (`Save-Data`).
    SaveData,
    /// It is not likely enough.
    Unlikely,
    /// The page named it and does not any more.
    Unnamed,
}

/// One asset of a page view.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AssetView {
    /// Path with query.
    pub path: Arc<str>,
    /// Length of its body, bytes; 0 if unknown.
    pub bytes: u64,
    /// The decision on it.
    pub decision: Decision,
}

/// One page view and what was decided for it. `Display` is one line for a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PageView {
    /// Authority of the site.
    pub authority: Arc<str>,
    /// The page: its path with the query, less the fields that campaigns add. A query that has not passed the network
    /// gate is shown as a hash (`?#` and hexadecimal digits).
    pub page: Arc<str>,
    /// The way that was open to this client.
    pub outlet: Outlet,
    /// The view was drawn to get nothing, as evidence of what the page needs by itself
    /// ([`Builder::holdout`](crate::Builder::holdout)).
    pub held_out: bool,
    /// Hold-outs get help like others, and nothing is learned from them: a check of the measurement
    /// ([`Builder::aa`](crate::Builder::aa)).
    pub aa: bool,
    /// The probability with which this client was to be held out from this page, 0 to 1. A measure of both kinds of
    /// views is unbiased when each held-out view weighs its inverse, and each other view the inverse of its complement.
    pub holdout_probability: f32,
    /// The client's cookie could not be read, and counts as empty.
    pub corrupt_cookie: bool,
    /// How much is known of the page, where nothing is planned for it.
    pub knowledge: Knowledge,
    /// Candidates in order of need.
    pub assets: Vec<AssetView>,
}

impl PageView {
    /// The assets of which a decision holds.
    pub fn with(&self, decision: Decision) -> impl Iterator<Item = &AssetView> {
        self.assets.iter().filter(move |asset| asset.decision == decision)
    }
}

impl fmt::Display for PageView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.page)?;
        if self.held_out && !self.aa {
            return write!(
                f,
                "  held out: gets nothing early, to measure what the page needs by itself ({} known)",
                self.assets.len()
            );
        }
        write!(f, "  {}", self.outlet)?;
        if self.assets.is_empty() {
            write!(f, "  {}", KnowledgeText(self.knowledge))?;
        }
        for (decision, verb) in [
            (Decision::Pushed, "pushed"),
            (Decision::Hinted, "hinted"),
            (Decision::Linked, "linked"),
            (Decision::Held, "skipped as held"),
        ] {
            let (count, unknown, bytes) = self.with(decision).fold((0, 0, 0), |(count, unknown, bytes), asset| {
                (count + 1, unknown + u32::from(asset.bytes == 0), bytes + asset.bytes)
            });
            if count > 0 {
                write!(f, "  {verb} {count}")?;
                // An asset that a page names and nobody has asked for yet has no size.
                if unknown < count {
                    write!(f, " ({:.1} KiB", bytes as f64 / 1024.0)?;
                    f.write_str(if unknown > 0 { " and more)" } else { ")" })?;
                }
                f.write_str(":")?;
                for asset in self.with(decision) {
                    write!(f, " {}", asset.path)?;
                }
            }
        }
        let mut omitted = self.assets.iter().filter_map(|asset| match asset.decision {
            Decision::Omitted(reason) => Some((asset, reason)),
            _ => None,
        });
        if let Some((first, reason)) = omitted.next() {
            write!(f, "  left out: {} ({reason})", first.path)?;
            for (asset, reason) in omitted {
                write!(f, ", {} ({reason})", asset.path)?;
            }
        }
        if self.corrupt_cookie {
            f.write_str("  the client's cookie was corrupt and is ignored")?;
        }
        Ok(())
    }
}

/// How much is known of a page, in words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnowledgeText(pub Knowledge);

impl fmt::Display for KnowledgeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Knowledge::Unknown => f.write_str("nothing known of this page yet"),
            Knowledge::VisitOpen => f.write_str("its first visit is still open"),
            Knowledge::FewVisits { visits, needed } => write!(f, "too few visits: {visits} of {needed}"),
            Knowledge::FewNetworks { networks, needed } => {
                write!(f, "below the gate of {needed} networks: {networks} so far")
            }
            _ => f.write_str("nothing is likely enough"),
        }
    }
}

impl fmt::Display for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outlet::EarlyHints => "103",
            Outlet::Link => "link",
            Outlet::Push => "push",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Budget => "over the page's budget",
            Reason::Driver(refusal) => match refusal {
                Refusal::Budget => "over the connection's budget",
                Refusal::Congested => "the client's socket is full",
                Refusal::Crowded => "too many pushes are open",
                Refusal::Failed => "its handler failed",
                Refusal::Invalid => "it cannot be promised",
                Refusal::NotReady => "its response was late",
                Refusal::Repeated => "pushed before on this connection",
                Refusal::Unwanted => "the client takes no more pushes",
                _ => "the driver refused",
            },
            Reason::FetchedTwice => "browsers fetched it twice when it was hinted",
            Reason::Forbidden => "nopush",
            Reason::Inexpressible => "no hint would be used",
            Reason::NotPushable => "its response may not be pushed",
            Reason::Policy => "the page's policy admits no hint",
            Reason::PutOff => "the page puts it off",
            Reason::Rule => "a rule forbids it",
            Reason::SaveData => "Save-Data",
            Reason::Unlikely => "not likely enough",
            Reason::Unnamed => "the page names it no more",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(assets: Vec<(&str, Decision)>) -> PageView {
        let assets = assets.into_iter().map(|(path, decision)| AssetView { path: path.into(), bytes: 1024, decision });
        PageView {
            authority: "a.example".into(),
            page: "/".into(),
            outlet: Outlet::Push,
            held_out: false,
            aa: false,
            holdout_probability: 0.0,
            corrupt_cookie: false,
            knowledge: Knowledge::Unknown,
            assets: assets.collect(),
        }
    }

    #[test]
    fn one_line_says_what_and_why() {
        let line = view(vec![
            ("/a.css", Decision::Pushed),
            ("/b.js", Decision::Pushed),
            ("/c.png", Decision::Held),
            ("/d.png", Decision::Omitted(Reason::Budget)),
        ]);
        assert_eq!(
            line.to_string(),
            "/  push  pushed 2 (2.0 KiB): /a.css /b.js  skipped as held 1 (1.0 KiB): /c.png  \
             left out: /d.png (over the page's budget)"
        );
        let mut held_out = view(vec![("/a.css", Decision::HeldOut)]);
        held_out.held_out = true;
        assert!(held_out.to_string().contains("held out"), "{held_out}");
    }

    #[test]
    fn a_line_gives_no_size_of_what_nobody_has_asked_for() {
        let mut unknown = view(vec![("/a.css", Decision::Hinted), ("/b.js", Decision::Hinted)]);
        unknown.assets[0].bytes = 0;
        assert_eq!(unknown.to_string(), "/  push  hinted 2 (1.0 KiB and more): /a.css /b.js");
        unknown.assets[1].bytes = 0;
        assert_eq!(unknown.to_string(), "/  push  hinted 2: /a.css /b.js");
    }

    #[test]
    fn a_line_without_assets_says_how_much_is_known() {
        for (knowledge, words) in [
            (Knowledge::Unknown, "nothing known of this page yet"),
            (Knowledge::VisitOpen, "its first visit is still open"),
            (Knowledge::FewVisits { visits: 1, needed: 2 }, "too few visits: 1 of 2"),
            (Knowledge::FewNetworks { networks: 2, needed: 3 }, "below the gate of 3 networks: 2 so far"),
            (Knowledge::Known, "nothing is likely enough"),
        ] {
            assert_eq!(PageView { knowledge, ..view(vec![]) }.to_string(), format!("/  push  {words}"));
        }
    }
}

//! The contestants: servers, how each is told of the site, and by which ways it can help.

use crate::peers::Peer;

use super::app::APP;
use super::site::Site;
use super::told;

/// The help that a client accepts from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Way {
    Push,
    Hints,
    Plain,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hints => "103",
            Self::Plain => "plain",
            Self::Push => "push",
        }
    }
}

/// A server, started once for all ways that it has.
#[derive(Clone, Copy)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) peer: Peer,
    /// Lines or words that tell it of the site, and how long it thinks over a page (ms).
    pub(crate) extra: fn(&Site, u64) -> String,
    pub(crate) ways: &'static [Way],
    /// By which clients it learns, if it does; the others are told.
    pub(crate) learns: Option<Way>,
    /// Whether it has a handler that can think.
    pub(crate) thinks: bool,
    /// Whether an application behind it thinks in its place.
    pub(crate) proxies: bool,
    /// Whether it serves what a deploy brings.
    pub(crate) deploys: bool,
}

pub(crate) const ALL: &[Way] = &[Way::Push, Way::Hints, Way::Plain];
pub(crate) const PUSH: &[Way] = &[Way::Push, Way::Plain];

/// Ours, and what it is measured against.
pub(crate) const CONTESTANTS: &[Contestant] = &[
    Contestant {
        name: "headstart",
        peer: APP,
        extra: |_, think| format!("headstart {think}"),
        ways: &[Way::Push, Way::Hints],
        learns: Some(Way::Hints),
        thinks: true,
        proxies: false,
        deploys: true,
    },
    Contestant {
        name: "headstart, nothing sent early",
        peer: APP,
        extra: |_, think| format!("headstart-nothing {think}"),
        ways: &[Way::Plain],
        learns: None,
        thinks: true,
        proxies: false,
        deploys: false,
    },
    Contestant {
        name: "oracle",
        peer: APP,
        extra: |site, think| format!("oracle {think} {}", site.shape),
        ways: &[Way::Push],
        learns: None,
        thinks: true,
        proxies: false,
        deploys: false,
    },
    Contestant {
        name: "h2 order",
        peer: APP,
        extra: |_, think| format!("h2 {think}"),
        ways: ALL,
        learns: None,
        thinks: true,
        proxies: false,
        deploys: false,
    },
    Contestant {
        name: "axum",
        peer: APP,
        extra: |_, think| format!("axum {think}"),
        ways: &[Way::Plain],
        learns: None,
        thinks: true,
        proxies: false,
        deploys: false,
    },
    Contestant {
        name: "node",
        peer: told::NODE,
        extra: told::node,
        ways: ALL,
        learns: None,
        thinks: true,
        proxies: false,
        deploys: true,
    },
    Contestant {
        name: "apache",
        peer: told::APACHE,
        extra: told::apache,
        ways: ALL,
        learns: None,
        thinks: false,
        proxies: false,
        deploys: true,
    },
    Contestant {
        name: "h2o with CASPer",
        peer: told::H2O_PUSH,
        extra: told::h2o,
        ways: PUSH,
        learns: None,
        thinks: false,
        proxies: false,
        deploys: true,
    },
    Contestant {
        name: "caddy",
        peer: told::CADDY_PUSH,
        extra: told::caddy,
        ways: PUSH,
        learns: None,
        thinks: false,
        proxies: false,
        deploys: true,
    },
    Contestant {
        name: "nginx",
        peer: told::NGINX_PUSH,
        extra: told::nginx,
        ways: PUSH,
        learns: None,
        thinks: false,
        proxies: false,
        deploys: true,
    },
    Contestant {
        name: "nghttpd",
        peer: told::NGHTTPD_PUSH,
        extra: told::nghttpd,
        ways: PUSH,
        learns: None,
        thinks: false,
        proxies: false,
        deploys: true,
    },
    Contestant {
        name: "jetty",
        peer: told::JETTY,
        extra: |_, _| String::new(),
        ways: PUSH,
        // Its filter looks at nobody else.
        learns: Some(Way::Push),
        thinks: false,
        proxies: false,
        deploys: true,
    },
];

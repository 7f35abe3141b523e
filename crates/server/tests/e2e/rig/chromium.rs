//! Headless Chromium: a browser's profile over its visits, with what it put on the wire.

use super::server::Server;
use std::collections::BTreeSet;
use tempfile::TempDir;
use testkit::browser::{self, Browser, Engine, Launch};
use testkit::netlog::{self, Frame};

/// The programs that this needs.
pub(crate) fn programs() -> &'static [&'static str] {
    browser::programs(Engine::Chromium)
}

/// A profile: cookies and cache.
pub(crate) struct Chromium {
    profile: TempDir,
}

/// One page load.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) frames: Vec<Frame>,
    /// The assets that the page used, by its Resource Timing.
    pub(crate) used: BTreeSet<String>,
}

impl Chromium {
    pub(crate) fn new() -> Self {
        Self { profile: tempfile::tempdir().expect("a temporary directory") }
    }

    /// Starts the browser, loads one page, ends the browser.
    pub(crate) fn load(&self, server: &Server, path: &str) -> Load {
        let profile = self.profile.path();
        let launch = Launch { engine: Engine::Chromium, profile, spki: &server.spki, prefix: &[], flags: &[] };
        let load = || {
            let mut browser = Browser::start(&launch)?;
            browser.open(&server.url(path))?;
            let used = browser.used()?;
            browser.close()?;
            let frames = netlog::read(&browser::network_log(profile), &format!("127.0.0.1:{}", server.port))?;
            Ok::<Load, String>(Load { frames, used: used.into_iter().collect() })
        };
        load().unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Load {
    /// Paths asked for over the wire, in order, the icon that browsers ask for by themselves left out.
    pub(crate) fn requested(&self) -> Vec<&str> {
        let paths = netlog::requested(&self.frames).into_iter();
        paths.filter(|path| !path.contains("favicon")).collect()
    }

    /// Paths that the 103s name.
    pub(crate) fn hinted(&self) -> BTreeSet<String> {
        netlog::hints(&self.frames).iter().flat_map(|link| super::node::preloads(link)).collect()
    }

    pub(crate) fn interim_responses(&self) -> usize {
        self.frames.iter().filter(|frame| matches!(frame, Frame::Response { status: 103, .. })).count()
    }

    /// The index of the frame that first asked for a path.
    pub(crate) fn request(&self, wanted: &str) -> Option<usize> {
        self.frames.iter().position(|frame| matches!(frame, Frame::Request { path, .. } if path == wanted))
    }

    /// The index of the frame at which the first successful response to a path begins.
    pub(crate) fn answer(&self, wanted: &str) -> Option<usize> {
        let asked = self.frames.iter().find_map(|frame| match frame {
            Frame::Request { stream, path } if path == wanted => Some(*stream),
            _ => None,
        })?;
        let is_answer =
            |frame: &Frame| matches!(frame, Frame::Response { stream, status: 200, .. } if *stream == asked);
        self.frames.iter().position(is_answer)
    }

    pub(crate) fn was_pushed_to(&self) -> bool {
        self.frames.contains(&Frame::Promise)
    }
}

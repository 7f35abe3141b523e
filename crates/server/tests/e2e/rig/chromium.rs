//! Headless Chromium: a browser's profile over its visits, with what it put on the wire.

use super::netlog::{self, Frame};
use super::server::Server;
use super::webdriver::Driver;
use serde_json::Value;
use std::collections::BTreeSet;
use tempfile::TempDir;

/// The programs that this needs.
pub(crate) const PROGRAMS: &[&str] = &["chromium", "chromedriver"];

/// A profile: cookies and cache.
pub(crate) struct Chromium {
    driver: Driver,
    profile: TempDir,
}

/// One page load.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) frames: Vec<Frame>,
    /// What the page used, by its Resource Timing.
    pub(crate) used: BTreeSet<String>,
}

impl Chromium {
    pub(crate) fn new() -> Self {
        let profile = tempfile::tempdir().expect("a temporary directory");
        Self { driver: Driver::start(), profile }
    }

    /// Starts the browser, loads one page, ends the browser.
    pub(crate) fn load(&self, server: &Server, path: &str) -> Load {
        let log = self.profile.path().join("net-log.json");
        let data = self.profile.path().join("data");
        let flags = [
            "--headless".to_owned(),
            // Debian's CI images run as root, where the sandbox refuses to start.
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--no-first-run".to_owned(),
            "--window-size=800,600".to_owned(),
            format!("--user-data-dir={}", data.display()),
            // Trust by key: with merely ignored errors nothing is cached and every hint fetched twice.
            format!("--ignore-certificate-errors-spki-list={}", server.spki),
            format!("--log-net-log={}", log.display()),
        ];
        let session = self.driver.session(&flags);
        session.open(&server.url(path));
        let used = session
            .run("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname);");
        drop(session);
        let used = used.as_array().expect("a list").iter().filter_map(Value::as_str);
        Load { frames: netlog::read(&log, server.port), used: super::set(used) }
    }
}

impl Load {
    /// Paths asked for over the wire, in order, the icon that browsers ask for by themselves left out.
    pub(crate) fn requested(&self) -> Vec<&str> {
        let paths = self.frames.iter().filter_map(|frame| match frame {
            Frame::Request { path, .. } => Some(path.as_str()),
            _ => None,
        });
        paths.filter(|path| !path.contains("favicon")).collect()
    }

    /// Paths that the 103s name.
    pub(crate) fn hinted(&self) -> BTreeSet<String> {
        let hints = self.frames.iter().filter_map(|frame| match frame {
            Frame::Response { status: 103, fields, .. } => Some(fields),
            _ => None,
        });
        let links = hints.flatten().filter(|(name, _)| name == "link");
        // Several fields of one name stand in one entry, apart by NUL.
        links.flat_map(|(_, value)| value.split('\0')).flat_map(super::node::preloads).collect()
    }

    pub(crate) fn interim_responses(&self) -> usize {
        self.frames.iter().filter(|frame| matches!(frame, Frame::Response { status: 103, .. })).count()
    }

    /// Where among the frames a path was first asked for.
    pub(crate) fn request(&self, wanted: &str) -> Option<usize> {
        self.frames.iter().position(|frame| matches!(frame, Frame::Request { path, .. } if path == wanted))
    }

    /// Where among the frames the first successful answer to a path begins.
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

//! Headless Chromium over the same link: what is left of the gain in a browser.
//!
//! Each load is a new profile in a new process. Chromium refuses pushes, so a server shows here what it does with 103, or
//! nothing. What it asked for is read from its network log: everything once, and all that was hinted is of use.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;
use testkit::browser::{Browser, Engine, Launch, network_log};
use testkit::{http2, netlog};

use super::site::Page;

/// A page's address and the way to it.
pub(crate) struct Visit<'a> {
    pub(crate) page: &'a Page,
    /// The server's address.
    pub(crate) address: SocketAddr,
    /// Host and port that requests name.
    pub(crate) authority: &'a str,
    /// Of the server's key; an ignored error of the certificate would have Chromium fetch hints twice.
    pub(crate) spki: &'a str,
    pub(crate) expected: Expected,
}

/// The expectations of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The browser asks for all of the page, once, and the main module runs; whether a 103 has to come.
    All { hinted: bool },
    /// The contents do not tell it of all that the page needs, as those of a shape.
    Markup,
}

/// When things happened, ms after the navigation began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painted {
    /// The largest thing was painted.
    pub(crate) paint: f64,
    /// The main module ran; `None` on a page without one.
    pub(crate) main: Option<f64>,
    /// The load event.
    pub(crate) load: f64,
}

/// Reports when the largest thing was painted, the page was loaded, and its main script ran, ms after the navigation began.
const TIMES: &str = "
    return await new Promise((done) => new PerformanceObserver((list) => {
      const [page] = performance.getEntriesByType('navigation');
      const [main] = performance.getEntriesByName('main');
      const resources = performance.getEntriesByType('resource');
      done({
        paint: list.getEntries().at(-1).startTime,
        load: page.loadEventStart,
        main: main ? main.startTime : null,
        used: resources.map((entry) => new URL(entry.name).pathname),
      });
    }).observe({ type: 'largest-contentful-paint', buffered: true }));
";

/// Loads the page in a new browser, which is run by the command `prefix`; the calling thread has to be where that puts it.
pub(crate) fn load(prefix: &[String], visit: &Visit<'_>) -> Result<Painted, String> {
    let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
    let flags = [format!("--host-resolver-rules=MAP {} {}", visit.authority, visit.address)];
    let launch = Launch { engine: Engine::Chromium, profile: profile.path(), spki: visit.spki, prefix, flags: &flags };
    let mut browser = Browser::start(&launch)?;
    // A browser that has just started has other things to do.
    std::thread::sleep(std::time::Duration::from_millis(300));
    browser.open(&format!("https://{}{}", visit.authority, visit.page.path))?;
    let times = browser.run(TIMES)?;
    browser.close()?;
    let frames = netlog::read(&network_log(profile.path()), visit.authority)?;
    check(visit, &times, &netlog::requested(&frames), &netlog::hints(&frames))?;
    let time = |name: &str| times[name].as_f64().ok_or_else(|| format!("no {name} in {times}"));
    let main = if visit.expected == Expected::Markup { None } else { Some(time("main")?) };
    Ok(Painted { paint: time("paint")?, main, load: time("load")? })
}

/// Everything was asked for once, what was hinted is of use, and what was to be hinted was.
fn check(visit: &Visit<'_>, times: &Value, requested: &[&str], hints: &[String]) -> Result<(), String> {
    if visit.expected == Expected::Markup {
        return Ok(());
    }
    let mut needed: Vec<&str> = visit.page.assets.iter().map(|asset| asset.path.as_str()).collect();
    needed.push(&visit.page.path);
    needed.sort_unstable();
    let mut requested = requested.to_vec();
    let hinted = http2::targets(hints);
    requested.sort_unstable();
    if requested != needed {
        return Err(format!("Chromium asked for {requested:?}"));
    }
    let used: BTreeSet<&str> = times["used"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(hinted) = hinted.iter().find(|path| !used.contains(*path)) {
        return Err(format!("{hinted} was hinted and not used"));
    }
    if visit.expected == (Expected::All { hinted: hinted.is_empty() }) {
        return Err(format!("hinted was {hinted:?}"));
    }
    Ok(())
}

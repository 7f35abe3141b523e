//! Headless Chromium over the same link: what is left of the gain in a browser.
//!
//! Each load is a new profile in a new process. Chromium refuses pushes, so a server shows here what it does with 103, or
//! nothing. What it asked for is read from its network log: everything once, and all that was hinted is of use.

mod netlog;
pub(crate) mod report;
mod view;
mod webdriver;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;

use super::site::Page;
use netlog::Log;
pub(crate) use view::{Painted, View};
pub(crate) use webdriver::Driver;

/// Where a page is and how it is to be come by.
pub(crate) struct Visit<'a> {
    pub(crate) page: &'a Page,
    /// Where the server is found.
    pub(crate) address: SocketAddr,
    /// Host and port that requests name.
    pub(crate) authority: &'a str,
    /// Of the server's key; an ignored error of the certificate would have Chromium fetch hints twice.
    pub(crate) spki: &'a str,
    /// Whether a 103 has to come.
    pub(crate) hinted: bool,
}

/// Reports when the largest thing was painted, the page was loaded, and its main script ran, ms after the navigation began.
const TIMES: &str = "
    const done = arguments[arguments.length - 1];
    new PerformanceObserver((list) => {
      const [page] = performance.getEntriesByType('navigation');
      const [main] = performance.getEntriesByName('main');
      const resources = performance.getEntriesByType('resource');
      done({
        paint: list.getEntries().at(-1).startTime,
        load: page.loadEventStart,
        main: main.startTime,
        used: resources.map((entry) => new URL(entry.name).pathname),
      });
    }).observe({ type: 'largest-contentful-paint', buffered: true });
";

/// Loads the page in a new browser.
pub(crate) fn load(driver: &Driver, visit: &Visit<'_>) -> Result<Painted, String> {
    let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
    let log = profile.path().join("net-log.json");
    let flags = [
        "--headless".to_owned(),
        // As root the sandbox refuses to start.
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--no-first-run".to_owned(),
        "--window-size=800,600".to_owned(),
        format!("--user-data-dir={}", profile.path().join("data").display()),
        format!("--ignore-certificate-errors-spki-list={}", visit.spki),
        format!("--host-resolver-rules=MAP {} {}", visit.authority, visit.address),
        format!("--log-net-log={}", log.display()),
    ];
    let session = driver.session(&flags)?;
    // A browser that has just started has other things to do.
    std::thread::sleep(std::time::Duration::from_millis(300));
    session.open(&format!("https://{}{}", visit.authority, visit.page.path))?;
    let times = session.run(TIMES)?;
    session.end()?;
    let log = Log::read(&log, visit.authority)?;
    check(visit, &times, &log)?;
    let time = |name: &str| times[name].as_f64().ok_or_else(|| format!("no {name} in {times}"));
    Ok(Painted { paint: time("paint")?, main: time("main")?, load: time("load")? })
}

/// Everything was asked for once, what was hinted is of use, and what was to be hinted was.
fn check(visit: &Visit<'_>, times: &Value, log: &Log) -> Result<(), String> {
    let mut needed: Vec<&str> = visit.page.assets.iter().map(|asset| asset.path.as_str()).collect();
    needed.push(visit.page.path);
    needed.sort_unstable();
    let mut requested: Vec<&str> = log.requested.iter().map(String::as_str).collect();
    requested.sort_unstable();
    if requested != needed {
        return Err(format!("Chromium asked for {requested:?}"));
    }
    let used: BTreeSet<&str> = times["used"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(hinted) = log.hinted.iter().find(|path| !used.contains(path.as_str())) {
        return Err(format!("{hinted} was hinted and not used"));
    }
    if log.hinted.is_empty() == visit.hinted {
        return Err(format!("hinted was {:?}", log.hinted));
    }
    Ok(())
}

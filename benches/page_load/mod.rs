//! How long pages take over a link with a distance and a rate: ours beside its peers.
//!
//! A client that loads a page in its true order (`client`) stands at one end of a [`Link`](crate::link::Link), the
//! servers at the other. What is reported: the time until the page is drawn and works (its HTML, stylesheet, font and
//! modules are there), the time until all of it is there, and what was sent in vain.

pub(crate) mod app;
pub(crate) mod browser;
mod cache;
mod case;
pub(crate) mod client;
pub(crate) mod contest;
mod fetch;
mod frames;
mod hints;
pub(crate) mod lane;
pub(crate) mod notes;
mod painted_report;
mod plots;
mod report;
pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod site;
pub(crate) mod summary;
pub(crate) mod targets;
pub(crate) mod told;
mod view;

use crate::peers;

/// Runs the benchmark; `--quick` is the short one.
pub fn main() {
    peers::become_peer();
    app::become_app(|name| Err(format!("no site `{name}`")));
    let quick = std::env::args().any(|word| word == "--quick");
    let mut cases = case::Case::all(quick);
    let mut views = view::View::all(quick);
    // For a look at a few servers: `HEADSTART_PAGE_LOAD_ONLY='nginx;headstart, nothing sent early'`.
    if let Ok(only) = std::env::var("HEADSTART_PAGE_LOAD_ONLY") {
        let wanted = |one: &contest::Contestant| only.split(';').any(|name| name == one.name);
        cases.retain(|case| wanted(case.contestant()));
        views.retain(|view| wanted(view.contestant()));
    }
    let results = run::run(cases, &views);
    report::print(&results);
    for file in plots::draw(&results) {
        println!("Drawn: {}\n", file.file_name().unwrap_or_default().display());
    }
}

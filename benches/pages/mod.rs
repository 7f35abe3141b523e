//! How long pages of real shapes take over a link of 100 ms and 10 Mbit/s: ours beside its peers and an oracle.
//!
//! `page-shapes.jsonl.gz` holds the shapes of 30 real pages, and `SHAPES.md` where they come from. Each becomes a site
//! (`site`) on which everything is of the site's own origin. A server that learns is taught by twelve visits of as many
//! networks. What a page is drawn with is its HTML and what held up its first paint; the render time is that until all of it is
//! there. Loads of a page are interleaved, and what is told of two servers is the median of the ratios
//! of loads that came after one another.

mod contest;
mod distribution;
mod link_case;
mod links;
mod loads;
mod measure;
mod painted;
mod report;
mod shape;
mod site;
mod summary;

use contest::CONTESTANTS;
use link_case::EVEN;
use measure::{Job, Rounds, THINKS};

use crate::page_load::app::become_app;
use crate::page_load::contest::Way;
use crate::page_load::site::Site;
use crate::peers;

/// Runs the benchmark: ten pages, all of them with `--all-pages`, three with `--quick`.
///
/// # Panics
///
/// If the file of shapes cannot be read.
pub fn main() {
    peers::become_peer();
    become_app(site);
    let has = |flag: &str| std::env::args().any(|word| word == flag);
    let quick = has("--quick");
    let all = shape::all().expect("the shapes can be read");
    // Every third of the list, and every tenth; not chosen by hand.
    let step = if has("--all-pages") {
        1
    } else if quick {
        10
    } else {
        3
    };
    let mut shapes: Vec<_> = all.into_iter().step_by(step).collect();
    // For a look at a few pages: `HEADSTART_PAGES_ONLY='s03;s12'`.
    if let Ok(only) = std::env::var("HEADSTART_PAGES_ONLY") {
        shapes = shape::all().expect("the shapes can be read");
        shapes.retain(|shape| only.split(';').any(|id| id == shape.id));
    }
    let jobs = shapes.iter().flat_map(|shape| THINKS.map(|think| Job { shape, think, link: EVEN })).collect();
    let count = if quick { 3 } else { 9 };
    report::print(&measure::run(jobs, Rounds { count, contestants: CONTESTANTS, returning: true }));
}

/// Runs the benchmark of pages over links with faults: two pages, one with `--quick`.
///
/// # Panics
///
/// If the file of shapes cannot be read.
pub fn over_links() {
    peers::become_peer();
    become_app(site);
    links::run(std::env::args().any(|word| word == "--quick"));
}

/// Runs the benchmark of pages in Chromium: three pages, ten with `--all-pages`, one with `--quick`.
///
/// # Panics
///
/// If the file of shapes cannot be read.
pub fn in_chromium() {
    peers::become_peer();
    become_app(site);
    let has = |flag: &str| std::env::args().any(|word| word == flag);
    painted::run(has("--quick"), has("--all-pages"));
}

/// Loads the smallest page over a link with loss and by ten clients at once, from ours with 103, with pushes and with nothing.
///
/// # Panics
///
/// If a load fails, if nothing is sent early, or if anything is sent in vain.
pub fn brief() {
    peers::become_peer();
    become_app(site);
    let all = shape::all().expect("the shapes can be read");
    let bytes = |shape: &&shape::Shape| shape.resources.iter().map(|resource| resource.bytes.sent).sum::<usize>();
    let shape = all.iter().min_by_key(bytes).expect("there are shapes");
    let links = [link_case::FAULTY[1], link_case::FAULTY[7]];
    let jobs = links.map(|link| Job { shape, think: 0, link }).into();
    let results = measure::run(jobs, Rounds { count: 1, contestants: &CONTESTANTS[..2], returning: false });
    results.notes.print();
    assert!(results.notes.failed.is_empty() && results.notes.missing.is_empty(), "{:?}", results.notes);
    for loads in &results.loads {
        for ((name, way), rounds) in &loads.cold {
            let load = &rounds[&0].load;
            let early = load.hinted.len() + load.pushed.len();
            assert!(*way == Way::Plain || early > 0, "{name}, {}, {}: nothing is sent early", way.name(), loads.link);
            assert_eq!(load.wasted, 0, "{name}, {}: bytes sent in vain", way.name());
        }
    }
    assert!(results.loads.iter().all(|loads| loads.cold.len() == 3), "{:?}", results.loads);
}

/// The site of a shape, by its id.
///
/// # Errors
///
/// In words, if there is no such shape.
fn site(id: &str) -> Result<Site, String> {
    let shape = shape::all()?.into_iter().find(|shape| shape.id == id);
    Ok(site::of(&shape.ok_or_else(|| format!("no shape `{id}`"))?))
}

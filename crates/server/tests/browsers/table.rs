//! `crates/server/BROWSERS.md`: what both browsers do with what they are told, way by way.

use std::fmt::Write as _;

use super::bed::Results;
use super::row::Row;
use super::site::Page;
use testkit::browser::Engine;

const HEAD: &str = "\
# What browsers do with hints

`cargo xtask browsers` makes this table: the program in front of an application, 30 ms each way, and each way of pulling in an
asset on a page of its own. A browser learns the pages by four cold visits of new profiles; a fifth profile then visits them
cold, is started again and comes back. *Fresh*: assets with `max-age=3600`; *asked*: `no-cache`, with an ETag.

A newcomer of a *navigation* also reloads, goes back or sends a form, which who returns does not. Before the visits to *forged
requests* somebody asked for the page and its assets 100 times in modes and as kinds that the page does not. All clients are of
this machine, where one network is enough: who fetches again what a 103 named ends that hint there, and changes no attribute.
`--only` runs some of the rows and leaves the others as they were.

A cell `1 → 1, 0` says: asked for once without help, once by the stranger with help, never on return. Warnings and reports are
those that are not there without help. A way is right (**yes**) if help changes nothing of how often anything is asked for, if
what is fresh is not asked for on return, if no asset of another page is named, and if there is neither warning nor report.
";

/// One browser's rows, in the order of the pages.
pub(crate) struct Part {
    pub(crate) engine: Engine,
    pub(crate) results: Results,
    pub(crate) rows: Vec<(Page, Row)>,
}

/// The table: rows of this run, and of `before` those that it left out.
pub(crate) fn text(parts: &[Part], all: &[Page], before: &str) -> String {
    let mut text = HEAD.to_owned();
    for part in parts {
        let heading = format!("\n## {}\n", part.engine.name());
        let (_, section) = before.split_once(&heading).unwrap_or_default();
        let (section, _) = section.split_once("\n## ").unwrap_or((section, ""));
        let rows: Vec<String> = all
            .iter()
            .filter_map(|page| {
                let start = start(page);
                match part.rows.iter().find(|(own, _)| own.dir == page.dir) {
                    Some((_, row)) => Some(start + &cells(row)),
                    None => section.lines().find(|line| line.starts_with(&start)).map(str::to_owned),
                }
            })
            .collect();
        let right = rows.iter().filter(|row| row.ends_with("| **yes** |")).count();
        let _ = write!(text, "{heading}\n`{}`\n\n", part.results.agent);
        let _ = write!(text, "{right} of {} rows are right.\n\n", rows.len());
        text.push_str(
            "| way | assets | in the 103 | in `Link` of the 200 | asked for | right |\n|---|---|---|---|---|---|\n",
        );
        for row in rows {
            text.push_str(&row);
            text.push('\n');
        }
    }
    text
}

/// The cells that say of which page a row is.
fn start(page: &Page) -> String {
    let kind = match (page.way.fields.is_empty(), page.fresh) {
        (false, _) => "as it says",
        (true, true) => "fresh",
        (true, false) => "asked",
    };
    format!("| {} | {kind} |", page.way.name)
}

/// The other cells.
fn cells(row: &Row) -> String {
    let verdict = if row.faults.is_empty() { "**yes**".to_owned() } else { cell(&row.faults.join("; ")) };
    let counts: Vec<String> = row
        .asked
        .iter()
        .map(|(name, [alone, cold, returning])| format!("{name} {alone} → {cold}, {returning}"))
        .collect();
    format!(" {} | {} | {} | {verdict} |", list(&row.hinted), list(&row.linked), counts.join("<br>"))
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.iter().map(|item| cell(item)).collect::<Vec<_>>().join("<br>")
    }
}

/// Text within a cell, on one line and not too long; ports and nonces differ from run to run.
fn cell(text: &str) -> String {
    let mut line = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    while let Some(at) = line.find("https://127.0.0.1:") {
        let end = line[at + 8..].find('/').map_or(line.len(), |end| at + 8 + end);
        line.replace_range(at..end, "");
    }
    let short: String = line.chars().take(200).collect();
    if short.len() < line.len() { short + " ..." } else { short }
}

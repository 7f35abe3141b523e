//! Real applications behind the program: what a browser sees is what it sees of the application itself.
//!
//! `cargo test` drives Django's admin, JupyterLab and ten pages of MkDocs in Chromium, if `cargo xtask test` or `cargo xtask applications` has
//! installed them below `target/applications`. The latter installs WordPress, MediaWiki and Next.js, too, and runs this with
//! `--all`, which drives all of them and writes `crates/server/APPLICATIONS.md`; a name after it drives the one. What is missing is said loudly; under `CI=true` it is a failure.
#![forbid(unsafe_code)]

mod application;
mod bed;
mod differences;
mod django;
mod jupyter;
mod mediawiki;
mod mkdocs;
mod next;
mod php;
mod seen;
mod table;
mod wordpress;

use std::path::Path;

use testkit::browser::{Engine, programs};
use testkit::tools;

use application::Application;
use table::Row;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        // For test runners that ask before they run.
        println!("applications: test");
        return;
    }
    differences::prove();
    if !tools::have(programs(Engine::Chromium)) {
        return;
    }
    let is_whole = words.iter().any(|word| word == "--all");
    let mut all = vec![django::application(), jupyter::application(), mkdocs::application()];
    if is_whole {
        all.extend([wordpress::application(), mediawiki::application(), next::application()]);
    }
    let named: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    if is_whole && !named.is_empty() {
        all.retain(|application| named.iter().any(|name| **name == application.name));
    }
    let mut rows = Vec::new();
    let mut absent = Vec::new();
    for application in all {
        if application.is_installed() {
            rows.push(bed::compare(&application).unwrap_or_else(|error| panic!("{}: {error}", application.name)));
        } else {
            missing(&application);
            absent.push(application.name);
        }
    }
    let text = table::text(&rows, &absent);
    if is_whole && named.is_empty() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("APPLICATIONS.md");
        std::fs::write(&path, &text).expect("the table is written");
        println!("{text}\nwritten to crates/server/APPLICATIONS.md");
    }
    if is_whole && !named.is_empty() {
        println!("{text}");
    }
    let faults: Vec<String> = rows.iter().flat_map(Row::faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn missing(application: &Application) {
    let text = format!("!! {} is not installed (cargo xtask applications): NOT TESTED", application.name);
    assert!(!std::env::var("CI").is_ok_and(|value| value == "true" || value == "1"), "{text}");
    eprintln!("{text}");
}

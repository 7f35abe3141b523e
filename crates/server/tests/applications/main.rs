//! Real applications behind the program: what a browser sees is what it sees of the application itself.
//!
//! `cargo test` drives Django's admin and JupyterLab in Chromium, if `cargo xtask test` or `cargo xtask applications` has
//! installed them below `target/applications`; the latter runs this with `--all`, which writes
//! `crates/server/APPLICATIONS.md`. What is missing is said loudly; under `CI=true` it is a failure.
#![forbid(unsafe_code)]

mod application;
mod bed;
mod django;
mod jupyter;
mod seen;
mod table;

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
    if !tools::have(programs(Engine::Chromium)) {
        return;
    }
    let all: [Application; 2] = [django::application(), jupyter::application()];
    let mut rows = Vec::new();
    for application in all {
        if application.is_installed() {
            rows.push(bed::compare(&application).unwrap_or_else(|error| panic!("{}: {error}", application.name)));
        } else {
            missing(&application);
        }
    }
    let text = table::text(&rows);
    if words.iter().any(|word| word == "--all") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("APPLICATIONS.md");
        std::fs::write(&path, &text).expect("the table is written");
        println!("{text}\nwritten to crates/server/APPLICATIONS.md");
    }
    let faults: Vec<String> = rows.iter().flat_map(Row::faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn missing(application: &Application) {
    let text = format!("!! {} is not installed (cargo xtask applications): NOT TESTED", application.name);
    assert!(!std::env::var("CI").is_ok_and(|value| value == "true" || value == "1"), "{text}");
    eprintln!("{text}");
}

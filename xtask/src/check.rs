//! `cargo xtask check`: what to run between two edits. Under a minute once the dependencies are compiled.
//!
//! Of the tests it runs those that stand beside the code. `cargo xtask test` runs all the others.

use crate::{shell, test};

pub(crate) fn run() -> Result<(), String> {
    let checks = [test::format(), test::tidy(), test::clippy()];
    let unit = ["test", "--quiet", "--workspace", "--lib", "--bins", "--no-fail-fast"];
    let tests = shell::last_step("unit tests", &mut shell::cargo(unit));
    let failures: Vec<String> = checks.into_iter().chain([tests]).filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nxtask: ")) }
}

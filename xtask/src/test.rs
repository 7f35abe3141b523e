//! `cargo xtask test`: everything that the CI runs, quick checks first, tests last.
//!
//! The dependency graph is built twice and no more: checked, for clippy and the documentation, and
//! compiled, for the tests. Everything uses the dev profile.

use crate::{shell, tidy, tools};
use std::process::Command;

pub(crate) fn run() -> Result<(), String> {
    tools::ensure()?;
    shell::step("format", &mut shell::cargo(["fmt", "--all", "--check"]))?;
    println!("\n== tidy");
    tidy::run()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    shell::step("clippy", &mut build(clippy))?;
    let no_std = ["check", "--package", "headstart-gcs", "--no-default-features"];
    shell::step("the codec without std", &mut build(no_std))?;
    let mut doc = build(["doc", "--workspace", "--no-deps"]);
    shell::step("documentation", doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
    check_fuzz_targets()?;
    // Last, so that what the test runner says in the end is what is seen in the end.
    shell::step("tests", &mut build(["test", "--workspace", "--no-fail-fast"]))
}

/// A cargo command that compiles. The CI starts from nothing, where incremental state only costs.
fn build<const N: usize>(args: [&str; N]) -> Command {
    let mut command = shell::cargo(args);
    if shell::in_ci() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// The fuzz crate is outside the workspace: without this it rots unseen.
fn check_fuzz_targets() -> Result<(), String> {
    let manifest = shell::root().join("fuzz/Cargo.toml");
    if !manifest.is_file() {
        return Ok(());
    }
    if !shell::is_on_path("c++") {
        println!("!! no C++ compiler: NOT CHECKED: the fuzz targets");
        return Ok(());
    }
    let mut check = build(["check", "--manifest-path"]);
    shell::step("fuzz targets", check.arg(manifest).args(["--bins", "--quiet"]))
}

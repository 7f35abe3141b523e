//! `cargo xtask ecosystem`: applications of others, in a workspace of their own (`tests/ecosystem`).
//!
//! One package at a time, as features unify within what is built at once, and which crypto provider is turned on is what some
//! of them show. They share one target directory.

use std::process::Command;

use crate::shell;

/// What `cargo xtask test` runs.
const FIRST: &[&str] =
    &["provider-aws-lc", "provider-ring", "provider-both", "provider-none", "servers", "messages", "first-hour"];
/// Some 150 packages more.
const REST: &[&str] = &["frameworks"];

pub(crate) fn run(all: bool) -> Result<(), String> {
    let packages = FIRST.iter().chain(REST.iter().filter(|_| all));
    let failures: Vec<String> =
        packages.filter_map(|name| shell::step(&format!("ecosystem: {name}"), &mut test(name)).err()).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nxtask: ")) }
}

fn test(package: &str) -> Command {
    let mut command = shell::cargo(["test", "--quiet", "--package", package, "--manifest-path"]);
    command.arg(shell::root().join("tests/ecosystem/Cargo.toml"));
    command.env("CARGO_TARGET_DIR", shell::root().join("target/ecosystem"));
    command.env("CARGO_RESOLVER_FEATURE_UNIFICATION", "selected");
    if shell::in_ci() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

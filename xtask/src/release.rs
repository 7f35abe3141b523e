//! `cargo xtask release`: whether what is here could be published. It publishes nothing.
//!
//! Licences and sources of all dependencies, documentation as docs.rs builds it, the packages themselves, built from their
//! `.crate` files, and, once there is a release, whether the version number says what has changed.

use std::process::{Command, Stdio};

use crate::{metadata, shell};

pub(crate) fn run() -> Result<(), String> {
    let members = metadata::members()?;
    let published: Vec<&str> =
        members.iter().filter(|member| member.published).map(|member| member.name.as_str()).collect();
    let checks = [dependencies(), documentation(&published), packages(&published), semver(&published)];
    let failures: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nxtask: ")) }
}

/// Checks `deny.toml`: licences, sources and crates; and advisories, where their database can be had.
fn dependencies() -> Result<(), String> {
    if !has("deny") {
        return absent("cargo-deny", "licences and sources of dependencies");
    }
    licences()?;
    let fetched = quiet(&mut shell::cargo(["deny", "fetch", "db"]));
    if !fetched {
        println!("\n!! the advisory database cannot be reached: NOT CHECKED: advisories");
        return Ok(());
    }
    shell::step("advisories", &mut shell::cargo(["deny", "check", "advisories"]))
}

/// Licences, sources and crates that are not wanted, of all dependencies; where `cargo-deny` is missing that is said, and
/// nothing more.
pub(crate) fn licences() -> Result<(), String> {
    if !has("deny") {
        println!(
            "\n!! cargo-deny is missing (cargo install --locked cargo-deny): NOT CHECKED: licences of dependencies"
        );
        return Ok(());
    }
    shell::step(
        "dependencies",
        &mut shell::cargo(["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]),
    )
}

/// With the flags of `[package.metadata.docs.rs]`. docs.rs has a nightly compiler; what it turns on there is asked for here
/// with a stable one.
fn documentation(published: &[&str]) -> Result<(), String> {
    let mut doc = shell::cargo(["doc", "--no-deps", "--all-features"]);
    for name in published.iter().filter(|name| **name != "headstart-server") {
        doc.args(["--package", name]);
    }
    doc.env("RUSTC_BOOTSTRAP", "1").env("RUSTDOCFLAGS", "--cfg docsrs --deny warnings");
    doc.env("CARGO_TARGET_DIR", shell::root().join("target/release-check"));
    shell::step("documentation as on docs.rs", &mut doc)
}

/// Packs each crate, unpacks it elsewhere and builds it there, with the others as they would come from the registry.
fn packages(published: &[&str]) -> Result<(), String> {
    let mut package = shell::cargo(["package", "--allow-dirty"]);
    for name in published {
        package.args(["--package", name]);
    }
    package.env("CARGO_TARGET_DIR", shell::root().join("target/release-check"));
    shell::step("packages", &mut package)
}

/// Compares with the latest release, which is a tag `v1.2.3`.
fn semver(published: &[&str]) -> Result<(), String> {
    let mut tags = Command::new("git");
    tags.args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]).current_dir(shell::root());
    let tag = tags.stderr(Stdio::null()).output().ok().filter(|output| output.status.success());
    let Some(tag) = tag.and_then(|output| String::from_utf8(output.stdout).ok()) else {
        println!("\n== semver: there is no release to compare with");
        return Ok(());
    };
    if !has("semver-checks") {
        return absent("cargo-semver-checks", "whether the version says what has changed");
    }
    let mut check = shell::cargo(["semver-checks", "--baseline-rev", tag.trim()]);
    for name in published.iter().filter(|name| **name != "headstart-server") {
        check.args(["--package", name]);
    }
    shell::step("semver", &mut check)
}

fn has(subcommand: &str) -> bool {
    quiet(&mut shell::cargo([subcommand, "--version"]))
}

fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A release is not checked by halves: what is missing has to be installed.
fn absent(tool: &str, what: &str) -> Result<(), String> {
    Err(format!("{tool} is missing (cargo install --locked {tool}): NOT CHECKED: {what}"))
}

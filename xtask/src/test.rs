//! `cargo xtask test`: everything that the CI runs, quick checks first, tests last.
//!
//! The dependency graph is built twice and no more: checked, for clippy and the documentation, and
//! compiled, for the tests, both with the dev profile. Parts of it are built once more: the learner with its locks
//! replaced, the codec as it is released, and what applications of others need of it.

use crate::{applications, ecosystem, release, shell, tidy, tools};
use std::process::Command;

pub(crate) fn run() -> Result<(), String> {
    tools::ensure()?;
    // Without them their test says that it tried nothing, and fails in the CI.
    if let Err(why) = applications::prepare() {
        println!("\n!! applications: {why}");
    }
    // One run shows all that is wrong: a check that fails does not keep the next from running.
    let checks = [
        format(),
        tidy(),
        clippy(),
        no_std(),
        documentation(),
        release::licences(),
        fuzz_targets(),
        interleavings(),
        instructions(),
        ecosystem::run(false),
    ];
    // Last, so that what the test runner says in the end is what is seen in the end.
    let tests = shell::last_step("tests", &mut build(["test", "--workspace", "--no-fail-fast"]));
    let failures: Vec<String> = checks.into_iter().chain([tests]).filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nxtask: ")) }
}

pub(crate) fn format() -> Result<(), String> {
    shell::step("format", &mut shell::cargo(["fmt", "--all", "--check"]))
}

pub(crate) fn tidy() -> Result<(), String> {
    println!("\n== tidy");
    tidy::run()
}

pub(crate) fn clippy() -> Result<(), String> {
    let all = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    shell::step("clippy", &mut build(all))
}

/// The codec is for small machines too. Where the compiler has a target without `std`, for that target.
fn no_std() -> Result<(), String> {
    let mut check = build(["check", "--package", "headstart-gcs", "--no-default-features"]);
    for target in ["thumbv7em-none-eabi", "wasm32v1-none"] {
        if shell::has_target(target) {
            check.args(["--target", target]);
        }
    }
    shell::step("the codec without std", &mut check)
}

fn documentation() -> Result<(), String> {
    let mut doc = build(["doc", "--workspace", "--no-deps"]);
    shell::step("documentation", doc.env("RUSTDOCFLAGS", "--deny warnings"))
}

/// The fuzz crate is outside the workspace: without this it rots unseen.
fn fuzz_targets() -> Result<(), String> {
    let manifest = shell::root().join("fuzz/Cargo.toml");
    if !shell::is_on_path("c++") {
        println!("\n!! no C++ compiler: NOT CHECKED: the fuzz targets");
        return Ok(());
    }
    let mut check = build(["check", "--bins", "--manifest-path"]);
    shell::step("fuzz targets", check.arg(manifest))
}

/// The learner's locks and atomics, taken through interleavings chosen by shuttle.
fn interleavings() -> Result<(), String> {
    let mut test = build(["test", "--package", "headstart-learn", "--test", "interleavings"]);
    test.env("RUSTFLAGS", "--cfg headstart_shuttle").env("CARGO_TARGET_DIR", shell::root().join("target/shuttle"));
    shell::step("interleavings of the learner", &mut test)
}

/// The cost of the codec and of a request, counted in instructions, which are the same on a busy machine.
fn instructions() -> Result<(), String> {
    for (what, bench) in [("the codec", "gcs_instructions"), ("a request", "instructions")] {
        let mut command = build(["bench", "--package", "headstart-benches", "--bench", bench]);
        shell::step(&format!("instructions of {what}"), &mut command)?;
    }
    Ok(())
}

/// A cargo command that compiles. The CI starts from nothing, where incremental state only costs.
fn build<const N: usize>(args: [&str; N]) -> Command {
    let mut command = shell::cargo(args);
    if shell::in_ci() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

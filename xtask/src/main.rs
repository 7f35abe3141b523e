//! The project's own tool: `cargo xtask COMMAND`.
//!
//! One file per command. It imports none of the project's crates, so it builds when they do not.
#![forbid(unsafe_code)]

mod applications;
mod baseline;
mod bench;
mod browsers;
mod check;
mod ecosystem;
mod fleet;
mod fuzz;
mod metadata;
mod packages;
mod release;
mod report;
mod shell;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  test                                   everything the CI runs; installs Debian packages it needs when it may
  check                                  what to run between two edits: format, tidy, clippy, unit tests
  tidy [--circles]                       layers, circles of modules, file sizes, forbidden words, links
  bench [AREA...|all] [--quick] [--all-pages] [--json] [--baseline FILE] [--publish]
                                         run the benchmarks, leave report.md, report.json and plots in target/bench;
                                         compare with an earlier report.json; keep the report in benches/report
  browsers [--fresh] [--only NAME,...]   what Chromium and Firefox do with hints, way by way: crates/server/BROWSERS.md
  ecosystem                              applications of others: crypto providers, axum, hyper-util, messages of the compiler, the
                                         first hour (these are in `test`), axum-server, warp, salvo, tonic
  release                                whether this could be published: licences (cargo-deny), documentation as docs.rs
                                         builds it, packages built from their files, semver since the last release
  applications                           real applications behind the program, in Chromium: crates/server/APPLICATIONS.md
  fleet [TEST]                           servers that learn as one, through every fault of a real engine; takes root
  packages                               the Debian package and the container image, built and started
  fuzz [TARGET] [--seconds N|--hours N]  fuzz one target, or each, for so long (60 seconds by default)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut words = args.iter().map(String::as_str);
    let done = match words.next() {
        Some("test") => none_left(words).and_then(|()| test::run()),
        Some("check") => none_left(words).and_then(|()| check::run()),
        Some("tidy") => match words.next() {
            Some("--circles") => none_left(words).and_then(|()| tidy::show_circles()),
            word => none_left(word.into_iter().chain(words)).and_then(|()| tidy::run()),
        },
        Some("bench") => bench::Options::parse(words).and_then(|options| bench::run(&options)),
        Some("browsers") => {
            browsers::Options::parse(words.map(str::to_owned)).and_then(|options| browsers::run(&options))
        }
        Some("ecosystem") => none_left(words).and_then(|()| ecosystem::run(true)),
        Some("release") => none_left(words).and_then(|()| release::run()),
        Some("applications") => none_left(words).and_then(|()| applications::run()),
        Some("fleet") => fleet::run(words.next()).and_then(|()| none_left(words)),
        Some("packages") => none_left(words).and_then(|()| packages::run()),
        Some("fuzz") => fuzz::Options::parse(words).and_then(|options| fuzz::run(&options)),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(format!("unknown command `{other}`\n\n{USAGE}")),
        None => Err(format!("no command given\n\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn none_left<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<(), String> {
    match words.next() {
        Some(word) => Err(format!("unexpected argument `{word}`")),
        None => Ok(()),
    }
}

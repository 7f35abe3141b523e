//! `cargo xtask fuzz`: builds the fuzz targets on the stable toolchain and runs one of them, or each for a while.
//!
//! `cargo fuzz` needs nightly for the flags of its sanitizer; the coverage that libFuzzer steers by is to be had without. New
//! inputs are kept below `target/fuzz/corpus`; `--minimise` adds those that reach something new to `laws/corpus`, which
//! is run as tests. What each run came to is a row of `target/fuzz/runs.md`.

mod run;

use crate::shell;
use std::fs;
use std::io::Write as _;

pub(crate) struct Options {
    target: Option<String>,
    seconds: u64,
    minimise: bool,
}

/// Flags that have the compiler count the edges that an input takes, for libFuzzer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

impl Options {
    pub(crate) fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut options = Self { target: None, seconds: 60, minimise: false };
        while let Some(word) = words.next() {
            match word {
                "--seconds" => {
                    let value = words.next().ok_or("--seconds needs a number")?;
                    options.seconds = value.parse().map_err(|_| format!("--seconds: `{value}` is not a number"))?;
                }
                "--hours" => {
                    let value = words.next().ok_or("--hours needs a number")?;
                    let hours: f64 = value.parse().map_err(|_| format!("--hours: `{value}` is not a number"))?;
                    if !(hours > 0.0 && hours <= 1000.0) {
                        return Err(format!("--hours: `{value}` is not between 0 and 1000"));
                    }
                    options.seconds = (hours * 3600.0).ceil() as u64;
                }
                "--minimise" => options.minimise = true,
                flag if flag.starts_with('-') => return Err(format!("unknown flag `{flag}`")),
                target if options.target.is_none() => options.target = Some(target.to_owned()),
                extra => return Err(format!("unexpected argument `{extra}`")),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let targets = targets()?;
    let chosen: Vec<&String> = match &options.target {
        None => targets.iter().collect(),
        Some(name) => {
            let known = || format!("no fuzz target `{name}`; there are: {}", targets.join(", "));
            vec![targets.iter().find(|target| *target == name).ok_or_else(known)?]
        }
    };
    let host = host()?;
    let (root, output) = (shell::root(), shell::root().join("target/fuzz"));
    for target in chosen {
        let mut build =
            shell::cargo(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host.as_str()]);
        build.args(["--bin", target]);
        build.env("RUSTFLAGS", COVERAGE).arg("--target-dir").arg(&output);
        shell::step(&format!("build {target}"), &mut build)?;
        let (found, kept) = (output.join("corpus").join(target), root.join("laws/corpus").join(target));
        fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
        // A peer that is gone is an error to a program in Rust; libFuzzer, which starts this one, leaves it the signal.
        let mut fuzz = std::process::Command::new("sh");
        fuzz.args(["-c", "trap '' PIPE; exec \"$0\" \"$@\""]).arg(output.join(&host).join("release").join(target));
        fuzz.current_dir(&output);
        if options.minimise {
            shell::step(target, fuzz.arg("-merge=1").arg(&kept).arg(&found))?;
            continue;
        }
        let limit = format!("-max_total_time={}", options.seconds);
        // A second run of one target begins where the first ended.
        fuzz.args([&limit, "-print_final_stats=1", "-timeout=20"]).arg(&found).arg(&kept);
        println!("\n== {target}");
        let run = run::watch(fuzz)?;
        record(&output.join("runs.md"), &run.row(target))?;
        println!("== {target}: {run}");
        if !run.passed {
            return Err(format!(
                "{target}: a law is broken, or an input took too long; the input is in {}",
                output.display()
            ));
        }
    }
    Ok(())
}

/// Adds a row to the table of runs.
fn record(path: &std::path::Path, row: &str) -> Result<(), String> {
    let say = |error: std::io::Error| format!("{}: {error}", path.display());
    let head = if path.exists() { "" } else { run::HEAD };
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).map_err(say)?;
    write!(file, "{head}{row}").map_err(say)
}

/// The target triple of this machine: with a target, build scripts and macros are built without the flags.
fn host() -> Result<String, String> {
    let output = std::process::Command::new("rustc").arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc names no host".into())
}

/// Names of the `[[bin]]`s of the fuzz crate, as its manifest lists them.
fn targets() -> Result<Vec<String>, String> {
    let path = shell::root().join("fuzz/Cargo.toml");
    let manifest = fs::read_to_string(&path).map_err(|error| format!("fuzz/Cargo.toml: {error}"))?;
    Ok(bins(&manifest))
}

fn bins(manifest: &str) -> Vec<String> {
    let sections = manifest.split("[[bin]]").skip(1);
    let names = sections.filter_map(|section| section.lines().find_map(|line| line.trim().strip_prefix("name")));
    names.filter_map(|rest| rest.split('"').nth(1)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_the_manifest() {
        let manifest = "[package]\nname = \"fuzz\"\n\n[[bin]]\nname = \"one\"\npath = \"one.rs\"\n\n[[bin]]\npath = \"x\"\nname=\"two\"\n";
        assert_eq!(bins(manifest), ["one", "two"]);
    }

    #[test]
    fn hours_are_seconds_of_each_target() {
        let seconds = |hours| Options::parse(["--hours", hours].into_iter()).map(|options| options.seconds);
        assert_eq!(seconds("2"), Ok(7200));
        assert_eq!(seconds("0.05"), Ok(180));
        for bad in ["0", "-1", "x", "NaN", "1e9"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_are_checked() {
        let parse = |words: &[&str]| Options::parse(words.iter().copied());
        assert!(
            parse(&["one", "--seconds", "5", "--minimise"])
                .is_ok_and(|o| o.seconds == 5 && o.minimise && o.target.as_deref() == Some("one"))
        );
        for bad in [&["--seconds"][..], &["--seconds", "x"], &["--fast"], &["one", "two"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}

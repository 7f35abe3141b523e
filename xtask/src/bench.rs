//! `cargo xtask bench`: runs the benchmarks and leaves one report.
//!
//! A benchmark is a bench target of the `headstart-benches` package and is one *area*. It prints a
//! Markdown table; where the environment variable `HEADSTART_BENCH_JSON` names a file it writes its
//! rows there (see [`crate::report::Area`]). `--quick` is passed on.

use crate::report::{Area, Report};
use crate::{metadata, shell};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

pub(crate) struct Options {
    areas: Vec<String>,
    quick: bool,
    json: bool,
}

impl Options {
    pub(crate) fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut options = Self { areas: Vec::new(), quick: false, json: false };
        for word in words {
            match word {
                "--json" => options.json = true,
                "--quick" => options.quick = true,
                flag if flag.starts_with('-') => return Err(format!("unknown flag `{flag}`")),
                "all" => {}
                area => options.areas.push(area.to_owned()),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let package = metadata::members()?.into_iter().find(|package| package.name == "headstart-benches");
    let known = package.ok_or("no package headstart-benches")?.benches;
    if let Some(unknown) = options.areas.iter().find(|area| !known.contains(area)) {
        return Err(format!("no benchmark `{unknown}`; there are: {}", known.join(", ")));
    }
    let chosen = known.iter().filter(|area| options.areas.is_empty() || options.areas.contains(area));
    let dir = shell::root().join("target/bench");
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;

    let mut report = Report::new(options.quick);
    for area in chosen {
        report.areas.push(run_area(area, options, &dir)?);
    }
    write(&dir.join("report.md"), &report.to_markdown())?;
    write(&dir.join("report.json"), &report.to_json())?;
    if options.json {
        println!("{}", report.to_json());
    }
    println!("\nreport: target/bench/report.md and target/bench/report.json");
    match report.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} benchmarks did not finish; the report names them")),
    }
}

/// Runs one benchmark; a failing one is a line in the report, not the end of the run.
fn run_area(area: &str, options: &Options, dir: &Path) -> Result<Area, String> {
    println!("\n== {area}");
    let rows = dir.join(format!("{area}.json"));
    // The file of an earlier run must not be taken for this one's.
    if rows.exists() {
        fs::remove_file(&rows).map_err(|error| format!("{}: {error}", rows.display()))?;
    }
    let mut command = shell::cargo(["bench", "--quiet", "--package", "headstart-benches", "--bench", area]);
    command.env("HEADSTART_BENCH_JSON", &rows).stdout(Stdio::piped());
    if options.quick {
        command.args(["--", "--quick"]);
    }
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{area}: {error}"))?;
    let mut printed = String::new();
    for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
        let line = line.map_err(|error| format!("{area}: {error}"))?;
        println!("{line}");
        printed.push_str(&line);
        printed.push('\n');
    }
    let status = child.wait().map_err(|error| format!("{area}: {error}"))?;
    Ok(Area {
        name: area.to_owned(),
        printed,
        rows: fs::read_to_string(&rows).ok(),
        seconds: began.elapsed().as_secs_f64(),
        failure: (!status.success()).then(|| status.to_string()),
    })
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_checked() {
        let parse = |words: &[&str]| Options::parse(words.iter().copied());
        assert!(parse(&["gcs", "--quick"]).is_ok_and(|o| o.quick && !o.json && o.areas == ["gcs"]));
        assert!(parse(&["all"]).is_ok_and(|o| o.areas.is_empty()));
        assert!(parse(&["--slow"]).is_err());
    }
}

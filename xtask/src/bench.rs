//! `cargo xtask bench`: runs the benchmarks and leaves one report.
//!
//! A benchmark is a bench target of the `headstart-benches` package and is one *area*. It prints a
//! Markdown table; where the environment variable `HEADSTART_BENCH_JSON` names a file it writes its
//! rows there (see [`crate::report::Area`]). `--quick` is passed on, and `--all-pages` to the areas `pages` and `painted`.

use crate::report::{Area, Report};
use crate::{metadata, shell, tools};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

#[expect(clippy::struct_excessive_bools, reason = "flags of the command line, independent of each other")]
pub(crate) struct Options {
    areas: Vec<String>,
    quick: bool,
    all_pages: bool,
    json: bool,
    baseline: Option<PathBuf>,
    publish: bool,
}

impl Options {
    pub(crate) fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut options =
            Self { areas: Vec::new(), quick: false, all_pages: false, json: false, baseline: None, publish: false };
        while let Some(word) = words.next() {
            match word {
                "--json" => options.json = true,
                "--quick" => options.quick = true,
                "--all-pages" => options.all_pages = true,
                "--publish" => options.publish = true,
                "--baseline" => options.baseline = Some(words.next().ok_or("--baseline needs a file")?.into()),
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
    let chosen: Vec<_> = known.iter().filter(|area| options.areas.is_empty() || options.areas.contains(area)).collect();
    let dir = shell::root().join("target/bench");
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;

    // Read first: it may be the file that this run writes.
    let baseline = options.baseline.as_deref().map(read_report).transpose()?;
    tools::ensure_peers();
    build(&chosen);
    let mut report = Report::new(options.quick);
    remove_plots(&dir)?;
    let began = Instant::now();
    for area in chosen {
        report.areas.push(run_area(area, options, &dir)?);
    }
    if let Some(before) = &baseline {
        report.compare(before);
    }
    write(&dir.join("report.md"), &report.to_markdown())?;
    write(&dir.join("report.json"), &report.to_json())?;
    if options.json {
        println!("{}", report.to_json());
    }
    let (took, failed) = (began.elapsed(), report.failed());
    if options.publish {
        publish(report, &dir, !options.areas.is_empty())?;
    }
    println!("\nreport: target/bench/report.md and report.json, after {:.0} s of measuring", took.as_secs_f64());
    match failed {
        0 => Ok(()),
        failed => Err(format!("{failed} benchmarks did not finish; the report names them")),
    }
}

fn read_report(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Keeps the report and its plots where documents may refer to them. A run of some areas replaces those of the report that
/// is kept.
fn publish(mut report: Report, dir: &Path, some: bool) -> Result<(), String> {
    let kept = shell::root().join("benches/report");
    let say = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(&kept).map_err(|error| say(&kept, error))?;
    let json = kept.join("report.json");
    if some && json.exists() {
        report.adopt(&read_report(&json)?);
    }
    write(&kept.join("report.md"), &report.to_markdown())?;
    write(&json, &report.to_json())?;
    for path in plots(dir)? {
        let name = path.file_name().unwrap_or_default();
        fs::copy(&path, kept.join(name)).map_err(|error| say(&path, error))?;
    }
    let is_shown =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| report.shows(name));
    for stale in plots(&kept)?.into_iter().filter(|path| !is_shown(path)) {
        fs::remove_file(&stale).map_err(|error| say(&stale, error))?;
    }
    Ok(())
}

/// Those of an earlier run, which must not be taken for this one's.
fn remove_plots(dir: &Path) -> Result<(), String> {
    for path in plots(dir)? {
        fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn plots(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|extension| extension == "svg")).collect())
}

/// Compiles what is going to run, so that no benchmark shares the machine with a compiler, and the times in the report are
/// those of measuring. What does not compile fails when it is run, and only that.
fn build(areas: &[&String]) {
    let benches = areas.iter().flat_map(|area| ["--bench", area.as_str()]);
    let mut command = shell::cargo(["bench", "--quiet", "--package", "headstart-benches", "--no-run"]);
    let built = shell::step("build of the benchmarks", command.args(benches));
    let program = ["build", "--quiet", "--release", "--package", "headstart-server"];
    if let Err(error) = built.and_then(|()| shell::step("build of the program", &mut shell::cargo(program))) {
        println!("!! {error}");
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
    command.arg("--");
    if options.quick {
        command.arg("--quick");
    }
    if options.all_pages && ["pages", "painted"].contains(&area) {
        command.arg("--all-pages");
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
        earlier: None,
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
        assert!(parse(&["pages", "--all-pages"]).is_ok_and(|o| o.all_pages && o.areas == ["pages"]));
        assert!(parse(&["page-load"]).is_ok_and(|o| o.areas == ["page-load"]));
        assert!(
            parse(&["--baseline", "a.json"]).is_ok_and(|o| o.baseline.is_some_and(|path| path.ends_with("a.json")))
        );
        assert!(parse(&["--baseline"]).is_err());
        assert!(parse(&["--slow"]).is_err());
    }
}

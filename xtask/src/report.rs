//! The report of a benchmark run, for people (Markdown) and for programs (JSON).

use crate::{baseline, shell};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// The rows and texts that one benchmark left.
pub(crate) struct Area {
    pub(crate) name: String,
    /// Its standard output: Markdown.
    pub(crate) printed: String,
    /// Its rows as JSON text, when it wrote any. An array of objects with `name`, `ours`, `peer`,
    /// `peer_name`, `ratio`, `target`, `pass` and `unit`.
    pub(crate) rows: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) failure: Option<String>,
    /// The run that it is of, if that is an earlier one than the report's.
    pub(crate) earlier: Option<String>,
}

/// A whole run, with the machine it ran on.
pub(crate) struct Report {
    pub(crate) areas: Vec<Area>,
    quick: bool,
    machine: String,
    compiler: String,
    commit: String,
    /// How it compares with an earlier run, as Markdown.
    baseline: String,
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        Self {
            areas: Vec::new(),
            quick,
            machine: machine(),
            compiler: said("rustc", &["-V"]),
            commit: commit(),
            baseline: String::new(),
        }
    }

    /// Compares the run with an earlier one, the value of its `report.json`.
    pub(crate) fn compare(&mut self, before: &Value) {
        self.baseline = baseline::compare(before, &self.value());
    }

    pub(crate) fn failed(&self) -> usize {
        self.areas.iter().filter(|area| area.failure.is_some()).count()
    }

    /// Takes over the areas of an earlier report, the value of its `report.json`, that this run has none of its own for.
    pub(crate) fn adopt(&mut self, kept: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = if kept["quick"] == true { "quick" } else { "full" };
        let of_kept = format!("{kind}; {}; commit {}", text(&kept["machine"]), text(&kept["commit"]));
        for area in kept["areas"].as_array().into_iter().flatten() {
            let name = text(&area["area"]);
            if self.areas.iter().all(|own| own.name != name) {
                self.areas.push(Area {
                    name,
                    printed: text(&area["printed"]),
                    rows: area["rows"].as_array().map(|rows| Value::from(rows.clone()).to_string()),
                    seconds: area["seconds"].as_f64().unwrap_or_default(),
                    failure: area["failure"].as_str().map(str::to_owned),
                    earlier: Some(area["earlier"].as_str().map_or_else(|| of_kept.clone(), str::to_owned)),
                });
            }
        }
        self.areas.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Whether an area shows this file.
    pub(crate) fn shows(&self, file: &str) -> bool {
        self.areas.iter().any(|area| area.printed.contains(file))
    }

    pub(crate) fn to_markdown(&self) -> String {
        let kind = if self.quick { "quick: the figures are rough" } else { "full" };
        let mut text = format!(
            "# Benchmarks\n\n{kind}; {}; {}; commit {}.\nMade by `cargo xtask bench`.\n",
            self.machine, self.compiler, self.commit
        );
        if self.areas.iter().any(|area| area.earlier.is_some()) {
            text.push_str("Areas that this run left out are those of an earlier one, which they name.\n");
        }
        text.push_str(&self.left_out());
        text.push_str(&self.verdicts());
        text.push_str(&self.shortfalls());
        text.push_str(&self.baseline);
        for area in &self.areas {
            let of = area.earlier.as_ref().map_or_else(String::new, |run| format!(" Of an earlier run: {run}."));
            let _ = writeln!(text, "\n## {}\n\nTook {:.0} s.{of}\n", area.name, area.seconds);
            if let Some(failure) = &area.failure {
                let _ = writeln!(text, "**Did not finish: {failure}.**\n");
            }
            text.push_str(area.printed.trim());
            text.push('\n');
        }
        text
    }

    pub(crate) fn to_json(&self) -> String {
        format!("{:#}\n", self.value())
    }

    fn value(&self) -> Value {
        let areas: Vec<Value> = self
            .areas
            .iter()
            .map(|area| {
                json!({
                    "area": area.name, "seconds": area.seconds, "failure": area.failure, "earlier": area.earlier,
                    "rows": rows(area), "printed": area.printed,
                })
            })
            .collect();
        json!({
            "quick": self.quick, "machine": self.machine, "compiler": self.compiler, "commit": self.commit, "areas": areas,
        })
    }

    /// What a benchmark said it could not run: a peer that is not installed is named, never dropped.
    fn left_out(&self) -> String {
        let mut lines = Vec::new();
        for area in &self.areas {
            for line in area.printed.lines().filter(|line| line.contains("skipped: ")) {
                let line = format!("- {}: {}\n", area.name, line.trim_matches(['*', ' ']));
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        if lines.is_empty() { String::new() } else { format!("\n## Left out\n\n{}", lines.concat()) }
    }

    /// How many rows have a target, and how many of them meet it.
    fn verdicts(&self) -> String {
        let mut text =
            String::from("\n## Targets\n\n| area | with a target | met | measured for, s |\n|---|---:|---:|---:|\n");
        for area in &self.areas {
            let judged: Vec<bool> = rows(area).iter().filter_map(|row| row["pass"].as_bool()).collect();
            let met = judged.iter().filter(|met| **met).count();
            let _ = writeln!(text, "| {} | {} | {met} | {:.0} |", area.name, judged.len(), area.seconds);
        }
        text
    }

    /// Rows that miss their target come first: a reader should not have to look for them.
    fn shortfalls(&self) -> String {
        let mut text = String::new();
        for area in &self.areas {
            for row in rows(area).iter().filter(|row| row["pass"] == false) {
                let unit = row["unit"].as_str().filter(|unit| !unit.is_empty());
                let ours = unit.map_or_else(|| figure(&row["ours"]), |unit| format!("{} {unit}", figure(&row["ours"])));
                let peer = row["peer_name"].as_str().filter(|_| !row["peer"].is_null());
                let peer = peer.map_or_else(String::new, |name| format!("{name}: {}", figure(&row["peer"])));
                let _ = writeln!(
                    text,
                    "| {} | {} | {ours} | {peer} | {} | {} |",
                    area.name,
                    figure(&row["name"]),
                    figure(&row["ratio"]),
                    figure(&row["target"])
                );
            }
        }
        if text.is_empty() {
            return text;
        }
        format!(
            "\n## Falls short\n\n| area | what | ours | theirs | ratio | target |\n|---|---|---:|---:|---:|---|\n{text}"
        )
    }
}

fn rows(area: &Area) -> Vec<Value> {
    area.rows.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A cell: a text as it is, a number to three digits, nothing for what there is not.
fn figure(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(number) if number.fract() == 0.0 || number.abs() >= 1000.0 => format!("{number:.0}"),
            Some(number) if number.abs() >= 100.0 => format!("{number:.1}"),
            Some(number) if number.abs() >= 10.0 => format!("{number:.2}"),
            Some(number) => format!("{number:.3}"),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, {:.0} GiB, Linux {}", kib as f64 / 1_048_576.0, kernel.trim())
}

fn commit() -> String {
    said("git", &["describe", "--always", "--dirty"])
}

fn said(program: &str, args: &[&str]) -> String {
    let text = shell::output(Command::new(program).current_dir(shell::root()).args(args));
    text.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let rows = r#"[{"name":"decode","ours":90,"unit":"ns","peer":81.0,"peer_name":"seed","ratio":0.9,"target":">= 1",
                "pass":false},{"name":"encode","ratio":2,"pass":true},
                {"name":"commit","ours":563,"ratio":null,"target":"300","pass":false}]"#;
        let area = |name: &str, rows: Option<&str>, failure: Option<&str>| Area {
            name: name.to_owned(),
            printed: "| a |\n**skipped: jetty is not installed**\n".to_owned(),
            rows: rows.map(str::to_owned),
            seconds: 1.0,
            failure: failure.map(str::to_owned),
            earlier: None,
        };
        let areas = vec![area("gcs", Some(rows), None), area("learn", None, Some("exit status: 1"))];
        Report {
            areas,
            quick: true,
            machine: "m".into(),
            compiler: "c".into(),
            commit: "1".into(),
            baseline: String::new(),
        }
    }

    #[test]
    fn what_falls_short_and_what_failed_is_named() {
        let text = report().to_markdown();
        assert!(text.contains("| gcs | decode | 90 ns | seed: 81 | 0.900 | >= 1 |"), "{text}");
        assert!(text.contains("| gcs | commit | 563 |  |  | 300 |"), "{text}");
        assert!(!text.contains("encode"), "{text}");
        assert!(text.contains("| gcs | 3 | 1 | 1 |"), "{text}");
        assert!(text.contains("- gcs: skipped: jetty is not installed\n"), "{text}");
        assert!(text.contains("Did not finish: exit status: 1"), "{text}");
        assert_eq!(report().failed(), 1);
    }

    #[test]
    fn what_a_run_left_out_is_taken_from_an_earlier_one() {
        let earlier: Value = serde_json::from_str(&report().to_json()).expect("JSON");
        let mut now = report();
        now.areas.remove(0);
        now.areas[0].failure = None;
        (now.quick, now.commit) = (false, "2".into());
        now.adopt(&earlier);
        let text = now.to_markdown();
        assert!(text.starts_with("# Benchmarks\n\nfull; m; c; commit 2."), "{text}");
        assert!(text.contains("## gcs\n\nTook 1 s. Of an earlier run: quick; m; commit 1.\n\n| a |"), "{text}");
        assert!(text.contains("| gcs | decode | 90 ns"), "{text}");
        assert!(text.contains("## learn\n\nTook 1 s.\n"), "{text}");
        assert_eq!((now.areas.len(), now.failed()), (2, 0), "its own area is not replaced");
        // Taken over once more it still names its own run.
        let kept: Value = serde_json::from_str(&now.to_json()).expect("JSON");
        let mut next = report();
        next.areas.clear();
        next.adopt(&kept);
        assert_eq!(next.areas[0].earlier.as_deref(), Some("quick; m; commit 1"));
        assert_eq!(next.areas[1].earlier.as_deref(), Some("full; m; commit 2"));
        assert!(next.shows("jetty") && !next.shows("plot.svg"));
    }

    #[test]
    fn json_carries_the_rows() {
        let value: Value = serde_json::from_str(&report().to_json()).expect("JSON");
        assert_eq!(value["areas"][0]["rows"][1]["name"], "encode");
        assert_eq!(value["areas"][1]["rows"], json!([]));
    }
}

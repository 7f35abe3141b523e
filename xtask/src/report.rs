//! The report of a benchmark run, for people (Markdown) and for programs (JSON).

use crate::{baseline, shell};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// What one benchmark left.
pub(crate) struct Area {
    pub(crate) name: String,
    /// Its standard output: Markdown.
    pub(crate) printed: String,
    /// Its rows as JSON text, when it wrote any. An array of objects with `name`, `ours`, `peer`,
    /// `peer_name`, `ratio`, `target`, `pass` and `unit`.
    pub(crate) rows: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) failure: Option<String>,
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

    pub(crate) fn to_markdown(&self) -> String {
        let kind = if self.quick { "quick: the figures are rough" } else { "full" };
        let mut text = format!(
            "# Benchmarks\n\n{kind}; {}; {}; commit {}.\nMade by `cargo xtask bench`.\n",
            self.machine, self.compiler, self.commit
        );
        text.push_str(&self.left_out());
        text.push_str(&self.verdicts());
        text.push_str(&self.shortfalls());
        text.push_str(&self.baseline);
        for area in &self.areas {
            let _ = writeln!(text, "\n## {}\n\nTook {:.0} s.\n", area.name, area.seconds);
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
            .map(
                |area| json!({"area": area.name, "seconds": area.seconds, "failure": area.failure, "rows": rows(area)}),
            )
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

    /// What misses its target comes first: a reader should not have to look for it.
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
    fn json_carries_the_rows() {
        let value: Value = serde_json::from_str(&report().to_json()).expect("JSON");
        assert_eq!(value["areas"][0]["rows"][1]["name"], "encode");
        assert_eq!(value["areas"][1]["rows"], json!([]));
    }
}

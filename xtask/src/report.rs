//! The report of a benchmark run, for people (Markdown) and for programs (JSON).

use crate::shell;
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
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        Self { areas: Vec::new(), quick, machine: machine(), compiler: said("rustc", &["-V"]), commit: commit() }
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
        text.push_str(&self.shortfalls());
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
        let areas: Vec<Value> = self
            .areas
            .iter()
            .map(
                |area| json!({"area": area.name, "seconds": area.seconds, "failure": area.failure, "rows": rows(area)}),
            )
            .collect();
        let report = json!({
            "quick": self.quick, "machine": self.machine, "compiler": self.compiler, "commit": self.commit, "areas": areas,
        });
        format!("{report:#}\n")
    }

    /// What misses its target comes first: a reader should not have to look for it.
    fn shortfalls(&self) -> String {
        let mut text = String::new();
        for area in &self.areas {
            for row in rows(area).iter().filter(|row| row["pass"] == false) {
                let _ = writeln!(
                    text,
                    "- {}: {}: {} (target {})",
                    area.name,
                    plain(&row["name"]),
                    measured(row),
                    plain(&row["target"])
                );
            }
        }
        if text.is_empty() { text } else { format!("\n## Falls short\n\n{text}") }
    }
}

fn rows(area: &Area) -> Vec<Value> {
    area.rows.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// What the target is about: the ratio to a peer, or our own figure where there is no peer.
fn measured(row: &Value) -> String {
    let alone = row["ratio"].is_null();
    plain(&row[if alone { "ours" } else { "ratio" }])
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    format!("{model}, {cores} cores")
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
        let rows = r#"[{"name":"decode","ratio":0.9,"target":">= 1","pass":false},{"name":"encode","ratio":2,"pass":true},
                {"name":"commit","ours":563,"ratio":null,"target":"300","pass":false}]"#;
        let area = |name: &str, rows: Option<&str>, failure: Option<&str>| Area {
            name: name.to_owned(),
            printed: "| a |\n".to_owned(),
            rows: rows.map(str::to_owned),
            seconds: 1.0,
            failure: failure.map(str::to_owned),
        };
        let areas = vec![area("gcs", Some(rows), None), area("learn", None, Some("exit status: 1"))];
        Report { areas, quick: true, machine: "m".into(), compiler: "c".into(), commit: "1".into() }
    }

    #[test]
    fn what_falls_short_and_what_failed_is_named() {
        let text = report().to_markdown();
        assert!(text.contains("- gcs: decode: 0.9 (target >= 1)"), "{text}");
        assert!(text.contains("- gcs: commit: 563 (target 300)"), "{text}");
        assert!(!text.contains("encode"), "{text}");
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

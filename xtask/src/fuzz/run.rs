//! One run of a target: its lines go to the terminal, and what they say of coverage is kept.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The head of the table of runs.
pub(super) const HEAD: &str =
    "| target | executions | seconds | edges | since the last new coverage, s | |\n|---|---:|---:|---:|---:|---|\n";

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) passed: bool,
    executions: u64,
    took: Duration,
    /// Edges of the program that inputs took.
    edges: u64,
    /// Edges and counters of them, by which libFuzzer tells inputs apart.
    features: u64,
    /// When the last of these was new.
    grew: Duration,
}

/// Runs a target to its end.
///
/// # Errors
///
/// If it cannot be started.
pub(super) fn watch(mut command: Command) -> Result<Run, String> {
    let began = Instant::now();
    let child = command.stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    let mut run = Run::default();
    if let Some(said) = child.stderr.take() {
        for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            eprintln!("{line}");
            run.read(&line, began.elapsed());
        }
    }
    run.passed = child.wait().map_err(|error| error.to_string())?.success();
    run.took = began.elapsed();
    Ok(run)
}

impl Run {
    /// Takes in a line that libFuzzer printed at a time.
    fn read(&mut self, line: &str, at: Duration) {
        if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = executions.trim().parse().unwrap_or(0);
            return;
        }
        // "#4711  NEW    cov: 12 ft: 34 corp: 5/67b ..."
        if !line.starts_with('#') {
            return;
        }
        let mut words = line.split_whitespace();
        let mut after = |name: &str| words.find(|word| *word == name).and_then(|_| words.next()?.parse().ok());
        let (edges, features): (Option<u64>, Option<u64>) = (after("cov:"), after("ft:"));
        if let (Some(edges), Some(features)) = (edges, features) {
            if features > self.features || edges > self.edges {
                self.grew = at;
            }
            self.edges = self.edges.max(edges);
            self.features = self.features.max(features);
        }
    }

    /// The run as a row of the table.
    pub(super) fn row(&self, target: &str) -> String {
        let since = self.took.saturating_sub(self.grew).as_secs();
        let verdict = if self.passed { "" } else { "**failed**" };
        format!(
            "| `{target}` | {} | {} | {} | {since} | {verdict} |\n",
            self.executions,
            self.took.as_secs(),
            self.edges
        )
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.took.saturating_sub(self.grew).as_secs();
        write!(
            f,
            "{} inputs in {} s, {} edges, no new coverage in the last {since} s",
            self.executions,
            self.took.as_secs(),
            self.edges
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_libfuzzer_are_read() {
        let mut run = Run { took: Duration::from_secs(60), passed: true, ..Run::default() };
        let lines = [
            (1, "INFO: Seed: 1"),
            (2, "#2\tINITED cov: 80 ft: 90 corp: 1/1b exec/s: 0 rss: 30Mb"),
            (9, "#300\tNEW    cov: 80 ft: 95 corp: 2/9b lim: 4 exec/s: 0 rss: 30Mb L: 4/4 MS: 1 CMP-"),
            (59, "#9000\tpulse  cov: 80 ft: 95 corp: 2/9b lim: 4 exec/s: 0 rss: 30Mb"),
            (60, "stat::number_of_executed_units: 9123"),
        ];
        for (at, line) in lines {
            run.read(line, Duration::from_secs(at));
        }
        assert_eq!(run.row("link"), "| `link` | 9123 | 60 | 80 | 51 |  |\n");
    }
}

//! `headstart fleet`: the key of a fleet, and how its servers fare.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use headstart::fleet::{Fleet, Keys, NodeStatus};
use headstart::learn::Time;
use indicatif::HumanDuration;

use crate::log::{complain, say};
use crate::options::Options;
use crate::overrides::Given;

/// Manage the servers that learn as one: their key, and how they fare
#[derive(Debug, Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Make a key file, or rotate the key of cookies in it
    Key {
        #[command(subcommand)]
        work: KeyWork,
    },
    /// Show every server of the fleet that the configuration names: version, lag, what it told and refused
    Status {
        #[command(flatten)]
        options: Options,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a server that is gone off the list of its fleet; one that runs comes back within seconds
    Leave {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Debug, Subcommand)]
enum KeyWork {
    /// Make a key file for a new fleet; its owner alone can read it
    New {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Draw a new key of cookies. Cookies under the present one are read until the next rotation, so bring the file to all
    /// servers and restart them one after the other before you rotate again
    Rotate {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
///
/// If the file cannot be read or written, the configuration names no fleet, or it cannot be reached.
pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command.work {
        Work::Key { work: KeyWork::New { file } } => {
            let cannot = || format!("cannot write {}", file.display());
            Keys::random()?.write(&file, false).with_context(cannot)?;
            say(format_args!("{} is the key of a new fleet: bring it to all of its servers", file.display()));
            Ok(ExitCode::SUCCESS)
        }
        Work::Key { work: KeyWork::Rotate { file } } => {
            let mut keys = Keys::read(&file)?;
            keys.rotate()?;
            keys.write(&file, true).with_context(|| format!("cannot write {}", file.display()))?;
            say(format_args!(
                "{} has a new key of cookies; the one before is read until the next rotation. Bring the file to all servers \
                 and restart them",
                file.display()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Work::Status { options, json } => with_fleet(options, async move |fleet| {
            let nodes = fleet.survey(now()).await?;
            if json {
                say(format_args!("{}", serde_json::to_string_pretty(&nodes.iter().map(to_json).collect::<Vec<_>>())?));
            } else {
                say(format_args!("{}", table(&nodes, now()).trim_end()));
            }
            Ok(ExitCode::SUCCESS)
        }),
        Work::Leave { name, options } => with_fleet(options, async move |fleet| {
            let removed = fleet.remove(&name, now()).await?;
            say(format_args!("{removed} of that name {} off the list", if removed == 1 { "is" } else { "are" }));
            Ok(if removed == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }),
    }
}

fn with_fleet(options: Options, work: impl AsyncFnOnce(Fleet) -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let (settings, mut problems) = Given::of_options(options).read();
    // Other mistakes of the configuration are for `check`.
    problems.retain(|problem| problem.to_string().contains("[fleet]") || problem.to_string().contains("fleet"));
    let fleet = match crate::fleet::open(&settings) {
        Ok(fleet) => fleet,
        Err(found) => {
            problems.extend(found);
            None
        }
    };
    for problem in &problems {
        complain(format_args!("{problem}"));
    }
    let Some(fleet) = fleet else {
        if problems.is_empty() {
            bail!("the configuration names no fleet: `url` and `key_file` of [fleet]");
        }
        return Ok(ExitCode::from(crate::BAD_INPUT));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(work(fleet))
}

fn now() -> Time {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn table(nodes: &[NodeStatus], now: Time) -> String {
    let mut text = String::new();
    if nodes.is_empty() {
        return "no server has said anything of itself".into();
    }
    let columns = ["server", "version", "heard of", "lag", "visits", "told", "heard", "missing", "refused", "dropped"];
    let mut rows = vec![columns.map(str::to_owned)];
    let mut remarks = Vec::new();
    for node in nodes {
        let fact = |name: &str| node.facts.get(name).cloned().unwrap_or_else(|| "-".into());
        let age = now.saturating_since(node.sent);
        let lag = node.facts.get("lag_ms").and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
        rows.push([
            node.name.clone(),
            fact("version"),
            format!("{} ago", HumanDuration(age)),
            lag.map_or_else(|| "-".into(), |lag| format!("{:.1} s", lag.as_secs_f32())),
            fact("visits"),
            fact("told"),
            fact("heard"),
            fact("missing"),
            fact("refused"),
            fact("dropped"),
        ]);
        if !node.same_key {
            remarks.push(format!("{} has another key of evidence: it is not of this fleet", node.name));
        }
        if let Some(share) = node.facts.get("scattered").and_then(|share| share.parse::<f64>().ok()) {
            remarks.push(format!(
                "{}: {:.0} % of assets come without their page, which was asked for at another server: have the balancer keep a \
                 client's requests together (by connection, or by the client's address)",
                node.name,
                100.0 * share
            ));
        }
        if let Some(trouble) = node.facts.get("trouble") {
            remarks.push(format!("{}: {trouble}", node.name));
        }
        if nodes.iter().any(|other| other.name == node.name && other.boot != node.boot) {
            remarks.push(format!("more than one server has the name {}, or it was started anew", node.name));
        }
        if nodes.iter().any(|other| other.half_life != node.half_life) {
            remarks.push(format!("{} has a half-life of {}", node.name, HumanDuration(node.half_life)));
        }
    }
    remarks.dedup();
    let widths: Vec<usize> =
        (0..columns.len()).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    for row in rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    for remark in remarks {
        let _ = writeln!(text, "{remark}");
    }
    text
}

fn to_json(node: &NodeStatus) -> serde_json::Value {
    serde_json::json!({
        "name": node.name,
        "boot": format!("{:016x}", node.boot),
        "sent_ms": node.sent.as_millis(),
        "same_key": node.same_key,
        "half_life_seconds": node.half_life.as_secs(),
        "facts": node.facts,
    })
}

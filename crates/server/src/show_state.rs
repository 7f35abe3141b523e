//! `headstart state`: what a snapshot holds, and what is done with several.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use headstart::Headstart;
use headstart::learn::{PageWeight, Time};
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use crate::merge_states::{self, Merge};
use crate::options::SnapshotFlags;
use crate::state::SnapshotFile;

/// Show what a snapshot holds: its size and age, and the pages that are known
///
/// Pages below the network gate are counted, not named. A server may be running on the snapshot.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Show {
    #[command(subcommand)]
    work: Option<Work>,

    /// Snapshot to read, as with --state
    #[arg(value_name = "FILE")]
    named: Option<PathBuf>,

    #[command(flatten)]
    snapshot: SnapshotFlags,

    /// Networks that must have loaded a page before it is named; as the server was told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    min_networks: u32,

    /// Pages to show, the heaviest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pages: usize,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Other operations on snapshots.
#[derive(Debug, Subcommand)]
enum Work {
    Merge(Merge),
}

/// Runs the command.
///
/// # Errors
///
/// If the snapshot cannot be read, or those of `merge` cannot be added up.
pub(crate) fn run(args: &Show) -> anyhow::Result<ExitCode> {
    if let Some(Work::Merge(args)) = &args.work {
        return merge_states::run(args);
    }
    let file = match &args.named {
        Some(path) => SnapshotFile::new(path.clone()),
        None => args.snapshot.file()?,
    };
    let Some(bytes) = file.load()? else { bail!("there is no snapshot {}", file.path().display()) };
    let size = bytes.len() as u64;
    let saved = std::fs::metadata(file.path()).and_then(|metadata| metadata.modified());
    let age = saved.ok().and_then(|saved| saved.elapsed().ok());
    let headstart = Headstart::builder()
        .min_networks(args.min_networks)
        .snapshot(bytes)
        .half_life_of_snapshot()
        .build()
        .with_context(|| format!("cannot use the snapshot {}", file.path().display()))?;
    let text =
        if args.json { json(&headstart, size, age, args.pages) } else { table(&headstart, size, age, args.pages) };
    crate::log::say(format_args!("{}", text.trim_end()));
    Ok(ExitCode::SUCCESS)
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn table(headstart: &Headstart, size: u64, age: Option<Duration>, most: usize) -> String {
    let (stats, pages) = (headstart.learner().stats(), headstart.learner().pages(now(), most));
    let age = age.map_or_else(|| "at an unknown time".to_owned(), |age| format!("{} ago", HumanDuration(age)));
    let mut text = format!(
        "{} on disk, saved {age}; {} in memory\n{} sites, {} pages, templates and sections, {} assets, {} of them by name\n",
        HumanBytes(size),
        HumanBytes(stats.bytes as u64),
        HumanCount(stats.sites as u64),
        HumanCount(stats.pages as u64),
        HumanCount(stats.assets as u64),
        HumanCount(stats.shown_assets as u64),
    );
    if !pages.shown.is_empty() {
        let _ = writeln!(text, "\n{:>10} {:>8} {:>7}  page", "weight", "visits", "assets");
    }
    for PageWeight { authority, path, weight, visits, assets, .. } in &pages.shown {
        let _ = writeln!(text, "{weight:>10.2} {visits:>8} {assets:>7}  {authority}{path}");
    }
    let more = pages.passed.saturating_sub(pages.shown.len());
    if more > 0 {
        let _ = writeln!(text, "{} more pages", HumanCount(more as u64));
    }
    if pages.hidden > 0 {
        let _ = writeln!(text, "{} pages were loaded by too few networks to be named", HumanCount(pages.hidden as u64));
    }
    text
}

fn json(headstart: &Headstart, size: u64, age: Option<Duration>, most: usize) -> String {
    let (stats, pages) = (headstart.learner().stats(), headstart.learner().pages(now(), most));
    let page = |page: &PageWeight| {
        serde_json::json!({
            "authority": &*page.authority, "path": &*page.path, "weight": page.weight, "visits": page.visits,
            "assets": page.assets,
        })
    };
    serde_json::json!({
        "bytes": size,
        "age_seconds": age.map(|age| age.as_secs_f64()),
        "memory_bytes": stats.bytes,
        "sites": stats.sites,
        "nodes": stats.pages,
        "assets": stats.assets,
        "assets_by_name": stats.shown_assets,
        "pages": pages.shown.iter().map(page).collect::<Vec<_>>(),
        "pages_passed": pages.passed,
        "pages_hidden": pages.hidden,
    })
    .to_string()
}

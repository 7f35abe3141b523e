//! `headstart state merge`: what several servers have learned, in one snapshot.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use headstart::Headstart;
use headstart::learn::Merged;
use indicatif::{HumanBytes, HumanCount};

use crate::state::SnapshotFile;

/// Add up what several servers have learned, for one that is to start warm
///
/// The first snapshot gives the secret that keys cookies and hashes. Of one made under another secret only what has passed
/// the network gate is taken, for below it there are no names; and clients that hold a cookie under another secret are
/// taken for new ones. Weights are aged to now and added up: what is named twice would count twice, and is refused. Servers
/// may be running on the files that are read.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// Snapshots to add up
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Snapshot to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// Replace the output if it is there already
    #[arg(long)]
    force: bool,

    /// Networks that must have loaded a page before it is named; as the servers were told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    min_networks: u32,

    /// Time in which evidence loses half its weight; as the servers were told [default: that of the first snapshot]
    #[arg(long, value_name = "TIME", value_parser = crate::durations::within::<60, 31_536_000>)]
    half_life: Option<Duration>,

    /// Memory for all that is learned, in MiB; when it is full the heaviest pages stay
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65536))]
    memory: u64,
}

/// The largest file that is read. A snapshot is smaller than the memory of its server.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Runs the command.
///
/// # Errors
///
/// If a snapshot cannot be read or used, is named twice, or the output is there already, is in use or cannot be written.
/// Then nothing is written.
pub(crate) fn run(args: &Merge) -> anyhow::Result<ExitCode> {
    check_twice(&args.files)?;
    let output = SnapshotFile::new(args.output.clone());
    if !args.force && args.output.symlink_metadata().is_ok() {
        bail!("{} is there already; --force replaces it", args.output.display());
    }
    // A server that runs on it would write over what is merged here.
    let _lock = output.lock()?;
    let (first, others) = args.files.split_first().context("no snapshot is named")?;
    let builder = Headstart::builder().min_networks(args.min_networks);
    let builder = match args.half_life {
        Some(half_life) => builder.half_life(half_life),
        None => builder.half_life_of_snapshot(),
    };
    let headstart = builder
        .memory_bytes(usize::try_from(args.memory << 20)?)
        .snapshot(read(first)?)
        .build()
        .with_context(|| unusable(first))?;
    let known = headstart.learner().stats().pages;
    let mut text = format!("{}: {} pages, templates and sections\n", first.display(), HumanCount(known as u64));
    let mut foreign = false;
    for file in others {
        let merged = headstart.merge_snapshot(&read(file)?).with_context(|| unusable(file))?;
        foreign |= !merged.same_key;
        let _ = writeln!(text, "{}: {}", file.display(), line(&merged));
    }
    output.save(&headstart.snapshot())?;
    let stats = headstart.learner().stats();
    let _ = write!(
        text,
        "now known: {} sites, {} pages, templates and sections, {} assets, {} of them by name, in {}\nwritten to {}",
        HumanCount(stats.sites as u64),
        HumanCount(stats.pages as u64),
        HumanCount(stats.assets as u64),
        HumanCount(stats.shown_assets as u64),
        HumanBytes(stats.bytes as u64),
        args.output.display(),
    );
    if foreign {
        let _ = write!(text, ", with the secret of {}: cookies under another count as none", first.display());
    }
    crate::log::say(format_args!("{text}"));
    Ok(ExitCode::SUCCESS)
}

fn unusable(file: &Path) -> String {
    format!("cannot use the snapshot {}", file.display())
}

/// Refuses a file that is named twice: its evidence would count twice.
fn check_twice(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut seen = Vec::new();
    for file in files {
        // One that is not there is named when it is read.
        let Ok(place) = file.canonicalize() else { continue };
        if seen.contains(&place) {
            bail!("{} is named twice", file.display());
        }
        seen.push(place);
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    if size > MAX_FILE_BYTES {
        bail!("{} is no snapshot: it is larger than {}", file.display(), HumanBytes(MAX_FILE_BYTES));
    }
    SnapshotFile::new(file.to_owned()).load()?.with_context(|| format!("there is no snapshot {}", file.display()))
}

/// Counts of what was taken from a snapshot, and of what was not and why.
fn line(merged: &Merged) -> String {
    let mut text = format!("{} pages, templates and sections", HumanCount(merged.taken as u64));
    if !merged.same_key {
        text.push_str(", made under another secret");
    }
    if merged.hidden > 0 {
        let _ = write!(text, "; {} hidden below the network gate are left out", HumanCount(merged.hidden as u64));
    }
    if merged.refused > 0 {
        let _ = write!(text, "; {} lighter ones found no room", HumanCount(merged.refused as u64));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_left_out() {
        let mut merged = Merged::default();
        (merged.same_key, merged.taken) = (true, 1200);
        assert_eq!(line(&merged), "1,200 pages, templates and sections");
        (merged.same_key, merged.hidden, merged.refused) = (false, 7, 3);
        assert_eq!(
            line(&merged),
            "1,200 pages, templates and sections, made under another secret; 7 hidden below the network gate are left \
             out; 3 lighter ones found no room"
        );
    }

    #[test]
    fn a_file_under_two_names_is_named_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::write(&path, "").unwrap();
        let other = directory.path().join(".").join("a");
        assert!(check_twice(&[path.clone(), "no such file".into(), "no such file".into()]).is_ok());
        assert!(check_twice(&[path, other]).unwrap_err().to_string().contains("twice"));
    }
}

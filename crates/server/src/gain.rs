//! `headstart gain`: what the help was worth, of the figures that a server saved.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use headstart::Headstart;
use headstart_gain::Difference;
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use crate::admin::{Figures, Gain, Ledger, QUANTILES, Saved, rows};
use crate::options::SnapshotFlags;
use crate::state::SnapshotFile;

/// Show how much sooner pages were complete with help than without, as a server with an admin listener measured it
///
/// The figures are those that it saved last, beside its snapshot. Pages below the network gate are counted, not named. A
/// server may be running on them.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Snapshot beside which the figures are, as with --state
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

    /// Write lines of JSON that the figures can be computed from again: the times of both arms in bins, with their weights
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// If there are no figures, or they cannot be read.
pub(crate) fn run(args: &Show) -> anyhow::Result<ExitCode> {
    let file = match &args.named {
        Some(path) => SnapshotFile::new(path.clone()),
        None => args.snapshot.file()?,
    };
    let of_gain = file.of_gain();
    let path = of_gain.path().display();
    let Some(bytes) = of_gain.load()? else {
        bail!("there are no figures in {path}: a server with an admin listener (--admin) measures them");
    };
    let saved = Saved::from_bytes(&bytes).with_context(|| format!("cannot use the figures in {path}"))?;
    let builder = Headstart::builder().min_networks(args.min_networks);
    let builder = match file.load()? {
        Some(bytes) => builder.snapshot(bytes).half_life_of_snapshot(),
        // Without it no page has a name.
        None => builder,
    };
    let headstart = builder.build().with_context(|| format!("cannot use the snapshot {}", file.path().display()))?;
    let ledger = Ledger::new(Some(saved));
    let text = if args.json { rows(&headstart, &ledger) } else { table(&headstart, &ledger, args.pages) };
    crate::log::say(format_args!("{}", text.trim_end()));
    Ok(ExitCode::SUCCESS)
}

fn table(headstart: &Headstart, ledger: &Ledger, most: usize) -> String {
    let mut text = format!("measured over {}\n\n", HumanDuration(ledger.age()));
    part(&mut text, "all pages", &ledger.all_pages());
    let known = headstart.pages(most);
    let mut unnamed = ledger.other_pages();
    for ((authority, path), figures) in
        ledger.named(known.shown.iter().map(|page| (&*page.authority, &*page.path)), &mut unnamed)
    {
        part(&mut text, &format!("{authority}{path}, by clients that held none of it"), &figures);
    }
    part(&mut text, "other pages, by clients that held none of them", &unnamed);
    part(&mut text, "A/A, while hold-outs got help too: there has to be no difference", &ledger.aa());
    text
}

/// Writes what is known of a scope; nothing of one that has seen no view.
fn part(text: &mut String, name: &str, figures: &Figures) {
    let gain = Gain::of(figures);
    let (with, without) = (gain.accounts.with, gain.accounts.without);
    if with.shown == 0 && without.shown == 0 {
        return;
    }
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{name}\n  views with help: {} of {} timed; without: {} of {}",
        HumanCount(with.timed),
        HumanCount(with.shown),
        HumanCount(without.timed),
        HumanCount(without.shown)
    );
    for ((name, _), difference) in QUANTILES.iter().zip(&gain.at) {
        let line = difference.as_ref().map_or_else(|| "too few views yet".to_owned(), line);
        let _ = writeln!(text, "  {name:<16} {line}");
    }
    if let Some(extra) = &gain.extra {
        let sign = if extra.bytes() < 0.0 { "less" } else { "more" };
        let _ = writeln!(text, "  {} {sign} a view with help", HumanBytes(extra.bytes().abs() as u64));
    }
    text.push('\n');
}

fn line(difference: &Difference) -> String {
    let (low, saved, high) = difference.seconds();
    let doubt = if difference.is_certain() { "" } else { ", no difference beyond doubt" };
    format!(
        "{:.0} ms without help, {:.0} ms with: {:+.0} ms sooner ({:+.1} %), 95 % from {:+.0} to {:+.0}{doubt}",
        1000.0 * difference.held_out,
        1000.0 * difference.helped,
        1000.0 * saved,
        100.0 * difference.share(),
        1000.0 * low,
        1000.0 * high,
    )
}

//! `headstart learn`: what access logs teach, before the first visitor comes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use headstart::Headstart;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::access_log::{Format, Parsed, Reader, for_each_line};
use crate::durations;
use crate::gatherer::{Gatherer, Networks, Scope};
use crate::options::SnapshotFlags;
use crate::printable::printable;
use crate::replay::{Event, Teacher, replay};
use crate::tally::Tally;
use crate::views::Views;

/// Learn from access logs, so that the first visitors are served as the thousandth would be
///
/// The end of the logs counts as now: evidence a day older than that has half the weight.
#[derive(Debug, Args)]
pub(crate) struct Learn {
    #[command(flatten)]
    pub(crate) logs: Logs,

    /// Name under which the site will be served [default: the first --host]
    #[arg(long, value_name = "NAME")]
    site: Option<String>,

    /// Networks that must have loaded an asset before it is known by name
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    min_networks: u32,

    #[command(flatten)]
    snapshot: SnapshotFlags,
}

/// The logs, and the lines of them that concern the site.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Access logs that carry the Referer, plain, .gz or .zst; - is standard input
    #[arg(value_name = "LOG", required = true)]
    files: Vec<PathBuf>,

    /// Format of the lines
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: Format,

    /// A name of the site in Referers, more than once if need be [default: the one seen most]
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,

    /// Time around a page request in which its assets are counted to it
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = durations::within::<1, 3600>)]
    pub(crate) window: Duration,

    /// Everything under this path is an asset, whatever its extension
    #[arg(long, value_name = "PREFIX")]
    asset_prefix: Vec<String>,
}

/// Runs the command.
///
/// # Errors
///
/// If a log or the snapshot cannot be read, or the snapshot cannot be written.
pub(crate) fn run(args: Learn) -> anyhow::Result<ExitCode> {
    let file = args.snapshot.file()?;
    // A server that runs on it would write over what is learned here.
    let _lock = file.lock()?;
    let mut builder = Headstart::builder().min_networks(args.min_networks).window(args.logs.window);
    if let Some(bytes) = file.load()? {
        builder = builder.snapshot(bytes).half_life_of_snapshot();
    }
    let headstart = builder.build().with_context(|| format!("cannot use the snapshot {}", file.path().display()))?;
    let started = Instant::now();
    let networks = headstart.clone();
    let mut views = args.logs.read(Some(Box::new(move |address| networks.network(address).get())))?;
    views.shift_to(now());
    let name = args.site.or_else(|| views.hosts.first().cloned());
    let name = name.ok_or_else(|| nameless(&views.tally, "--host or --site"))?.to_ascii_lowercase();
    let learner = headstart.learner();
    let site = learner.site(&name).with_context(|| format!("{name} is not a host name, or there are too many"))?;
    let teacher = Teacher { learner, site, names: &views.names };
    replay(&views, |_, number, event| match event {
        Event::Navigation(view) => {
            teacher.navigate(number, view);
        }
        Event::Fetch(view, asset) => teacher.fetch(number, view, asset),
        Event::Gone(gone) => teacher.gone(gone),
    });
    headstart.finish();
    file.save(&headstart.snapshot())?;
    let stats = learner.stats();
    let mut text = summary(&views.tally, started.elapsed().as_secs_f64());
    let _ = write!(
        text,
        "{} page views of {name}: {} learned, {} without assets, {} by networks that had just voted\n\
         now known: {} pages, templates and sections, {} assets, {} of them by name, in {}\n\
         written to {}",
        HumanCount(views.list.len() as u64),
        HumanCount(stats.learned),
        HumanCount(stats.reasons.no_assets),
        HumanCount(stats.reasons.voted),
        HumanCount(stats.pages as u64),
        HumanCount(stats.assets as u64),
        HumanCount(stats.shown_assets as u64),
        HumanBytes(stats.bytes as u64),
        file.path().display(),
    );
    crate::log::say(format_args!("{text}"));
    Ok(ExitCode::SUCCESS)
}

impl Logs {
    /// Reads the logs and puts their page views together, with a progress bar on a terminal.
    /// Networks get the numbers that a server with the same snapshot gives them, if it is told how.
    pub(crate) fn read(&self, networks: Option<Networks>) -> anyhow::Result<Views> {
        let window = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let scope = Scope { hosts: self.host.clone(), asset_prefixes: self.asset_prefix.clone(), window };
        let size = |log: &PathBuf| std::fs::metadata(log).map_or(0, |metadata| metadata.len());
        let bar = ProgressBar::new(self.files.iter().map(size).sum());
        let style = "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
        bar.set_style(ProgressStyle::with_template(style)?);
        let mut gatherer = Gatherer::new(scope);
        if let Some(networks) = networks {
            gatherer = gatherer.with_networks(networks);
        }
        for log in &self.files {
            self.read_one(log, &bar, &mut gatherer)?;
        }
        bar.finish_and_clear();
        Ok(gatherer.finish())
    }
}

/// The first line that could not be read, with its number.
struct Unread {
    number: u64,
    text: String,
}

/// Characters of such a line that are shown.
const SHOWN: usize = 120;

impl Logs {
    /// Reads one log. Most of its lines have to be those of an access log with Referers.
    fn read_one(&self, log: &Path, bar: &ProgressBar, gatherer: &mut Gatherer) -> anyhow::Result<()> {
        let mut reader = Reader::new(self.format);
        let (before, mut number, mut first) = (gatherer.tally, 0, None);
        for_each_line(
            log,
            |bytes| bar.inc(bytes),
            |line| {
                number += 1;
                let parsed = reader.parse(line);
                if first.is_none() && parsed == Parsed::Malformed {
                    let text = line.chars().take(SHOWN).collect();
                    first = Some(Unread { number, text });
                }
                gatherer.add(parsed);
            },
        )?;
        let (name, tally) = (log.display(), gatherer.tally);
        let lines = tally.lines - before.lines;
        let lacking = tally.without_referer - before.without_referer;
        if let Some(format) = gatherer.lacking.filter(|_| lacking * 2 > lines) {
            bail!(
                "{name}: nothing can be learned of {}, which carries no Referer ({lacking} of {lines} lines): {}",
                format.name,
                format.remedy
            );
        }
        let malformed = tally.malformed - before.malformed;
        if let Some(Unread { number, text }) = first.filter(|_| malformed * 2 > lines) {
            bail!(
                "{name}:{number}: cannot be read as an access log: \"{}\"; expected {}; so are {malformed} of {lines} \
                 lines",
                printable(&text),
                self.format.expected()
            );
        }
        Ok(())
    }
}

/// Why a site has no name in logs that gave these counts; `flags` would give it one.
pub(crate) fn nameless(tally: &Tally, flags: &str) -> anyhow::Error {
    let Tally { lines, bots, unsuitable, malformed, .. } = tally;
    if *lines == 0 {
        return anyhow!("the log is empty");
    }
    anyhow!(
        "no Referer names a host: {lines} lines, of which {bots} were skipped as by bots, {unsuitable} as not GET or not \
         answered with 200, 304, 404 or 410, and {malformed} as malformed; give {flags}"
    )
}

/// Counts of the lines, which are the same for the same log, and in a line of its own how fast they were read.
pub(crate) fn summary(tally: &Tally, seconds: f64) -> String {
    let rate = (tally.lines as f64 / seconds.max(1e-6)) as u64;
    let disorder = match tally.disorder {
        0 => String::new(),
        millis => format!(
            "one line in twenty is {} s or more behind the line before it: times are taken to be off by that, and the window is \
             longer by it\n",
            millis / 1_000
        ),
    };
    format!(
        "{} lines: {} of pages, {} of assets, {} of what was not there; skipped {} by bots, {} not GET or not answered with \
         200, 304, 404 or 410, {} malformed, {} without Referer by their format, {} of other sites; {} assets belong to no \
         page view\n{disorder}read at {} lines a second\n",
        HumanCount(tally.lines),
        HumanCount(tally.pages),
        HumanCount(tally.assets),
        HumanCount(tally.gone),
        HumanCount(tally.bots),
        HumanCount(tally.unsuitable),
        HumanCount(tally.malformed),
        HumanCount(tally.without_referer),
        HumanCount(tally.elsewhere),
        HumanCount(tally.unattributed),
        HumanCount(rate),
    )
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

//! `headstart evaluate`: how well would the learner have done on these logs?
//!
//! The logs are replayed in order of time. Each view is predicted before anything of
//! it is learned.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use headstart::learn::{ClientClass, Config, Delivery, Learner, Page, Time};

use crate::access_log::date;
use crate::assembly::View;
use crate::baselines::{Popular, Pusher};
use crate::durations;
use crate::learn_log::{Logs, summary};
use crate::names::NameId;
use crate::page_views::Views;
use crate::replay::{Event, Teacher, replay};
use crate::score::{Report, Score, Scores};

/// Replay access logs and measure how well each page view would have been predicted
#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    logs: Logs,

    /// Time in which evidence loses half its weight
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = durations::within::<60, 31_536_000>)]
    half_life: Duration,

    /// Networks that must have loaded an asset before it is predicted
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    min_networks: u32,

    /// Lower confidence bound from which an asset is predicted; 0.4 is that of a push
    #[arg(long, value_name = "P", default_value_t = 0.4)]
    threshold: f32,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// If a log cannot be read, names no host, or a setting is out of range.
pub(crate) fn run(args: &Evaluate) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let views = args.logs.read(None)?;
    let config = Config::builder()
        .window(args.logs.window)
        .half_life(args.half_life)
        .min_networks(args.min_networks)
        .hint_threshold(args.threshold)
        .build()?;
    let report = evaluate(&views, config)?;
    if args.json {
        crate::log::say(format_args!("{}", serde_json::to_string_pretty(&report)?));
    } else {
        let read = summary(&views.tally, started.elapsed().as_secs_f64());
        crate::log::say(format_args!("{read}{}", crate::evaluate_table::table(&report, &views).trim_end()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Counts behind a score.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    views: u64,
    right: u64,
    wasted: u64,
    missed: u64,
}

/// Counts behind cold and warm scores.
#[derive(Clone, Copy, Debug, Default)]
struct Both {
    cold: Counts,
    warm: Counts,
}

const ALGORITHMS: usize = 3;

/// Replays the views.
pub(crate) fn evaluate(views: &Views, config: Config) -> anyhow::Result<Report> {
    let learner = Learner::new(config);
    let host = views.hosts.first().context("no Referer names a host; give --host")?;
    let site = learner.site(host).with_context(|| format!("{host} is not a host name"))?;
    let teacher = Teacher { learner: &learner, site, names: &views.names };
    let mut pusher = Pusher::default();
    let mut popular = Popular::default();
    let loaders: HashSet<u64> =
        views.list.iter().filter(|view| !view.assets.is_empty()).map(|view| view.client).collect();
    // What each client has fetched, and whether one of its views with assets has been scored.
    let mut held: HashMap<u64, (HashSet<NameId>, bool)> = HashMap::new();
    let mut days: BTreeMap<u64, [Both; ALGORITHMS]> = BTreeMap::new();
    replay(&views.list, |time, number, event| match event {
        Event::Navigation(view) => {
            let page = views.names.get(view.page);
            let plan = learner.plan(Time::from_millis(time), site, Page::from(page), ClientClass::Other);
            let planned = plan.iter().filter_map(|candidate| views.names.find(&candidate.path));
            let predictions =
                [planned.collect::<Vec<_>>(), pusher.predict(time, view.page), popular.predict(view.page)];
            let (mine, seen) = held.entry(view.client).or_default();
            if loaders.contains(&view.client) {
                let day = days.entry(time / 86_400_000).or_default();
                for (both, prediction) in day.iter_mut().zip(&predictions) {
                    if !*seen && !view.assets.is_empty() {
                        both.cold.score(prediction, view, &HashSet::new());
                    }
                    both.warm.score(prediction, view, mine);
                }
                *seen |= !view.assets.is_empty();
            }
            let visit = teacher.navigate(number, view);
            for candidate in &*plan {
                if views.names.find(&candidate.path).is_some_and(|name| mine.contains(&name)) {
                    learner.delivered(visit, &candidate.path, Delivery::Held);
                }
            }
        }
        Event::Fetch(view, asset) => {
            teacher.fetch(number, view, asset);
            pusher.record(time, view.page, asset.name);
            popular.record(view.page, asset.name);
            held.entry(view.client).or_default().0.insert(asset.name);
        }
    });
    let mut totals = [Both::default(); ALGORITHMS];
    for day in days.values() {
        for (total, both) in totals.iter_mut().zip(day) {
            total.cold.add(&both.cold);
            total.warm.add(&both.warm);
        }
    }
    let [ours, five_minutes, ten] = totals;
    Ok(Report {
        learner: ours.scores(),
        baselines: BTreeMap::from([("pusher", five_minutes.scores()), ("top_ten", ten.scores())]),
        days: days.into_iter().map(|(day, [ours, ..])| (date(day), ours.scores())).collect(),
    })
}

impl Both {
    fn scores(&self) -> Scores {
        Scores { cold: self.cold.score_of(), warm: self.warm.score_of() }
    }
}

impl Counts {
    /// Compares a prediction with what was fetched, leaving out what the client held.
    fn score(&mut self, prediction: &[NameId], view: &View, held: &HashSet<NameId>) {
        let truth: HashSet<NameId> =
            view.assets.iter().map(|asset| asset.name).filter(|name| !held.contains(name)).collect();
        let predicted: HashSet<NameId> =
            prediction.iter().copied().filter(|name| !held.contains(name) && *name != view.page).collect();
        let right = truth.intersection(&predicted).count() as u64;
        self.views += 1;
        self.right += right;
        self.wasted += predicted.len() as u64 - right;
        self.missed += truth.len() as u64 - right;
    }

    fn add(&mut self, other: &Self) {
        self.views += other.views;
        self.right += other.right;
        self.wasted += other.wasted;
        self.missed += other.missed;
    }

    fn score_of(&self) -> Score {
        let share = |of: u64, whole: u64| if whole == 0 { 0.0 } else { of as f64 / whole as f64 };
        let right = self.right;
        Score {
            views: self.views,
            precision: share(right, right + self.wasted),
            recall: share(right, right + self.missed),
            f1: share(2 * right, 2 * right + self.wasted + self.missed),
            wasted_per_view: share(self.wasted, self.views),
        }
    }
}

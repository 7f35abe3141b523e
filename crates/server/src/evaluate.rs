//! `headstart evaluate`: how well would the learner have done on these logs?
//!
//! The logs are replayed in order of time. Each view is predicted before anything of
//! it is learned.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use headstart::learn::{Config, Delivery, Destination, Draw, Learner, Time};
use headstart::{Budget, Headstart};

use crate::access_log::date;
use crate::assembly::View;
use crate::baselines::{Popular, Pusher};
use crate::config::engine::Engine;
use crate::durations;
use crate::identity::identity;
use crate::learn_log::{Logs, nameless, summary};
use crate::names::NameId;
use crate::replay::{Event, Teacher, replay};
use crate::score::{Report, Score, Scores};
use crate::target::{destination, without_query};
use crate::views::Views;

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

    /// Assets that are hinted of a page, at most
    #[arg(long, value_name = "N", default_value_t = Engine::default().budget.max_hints)]
    max_hints: usize,

    /// Replay the views as a server would have served them that sends hints: what it hints says nothing of what a page
    /// needs, but for the views that are held out
    #[arg(long)]
    hints: bool,

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
        .hint_threshold(args.threshold.min(Engine::default().hint_threshold))
        .build()?;
    let report = evaluate(&views, config, args)?;
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
    wasted_bytes: u64,
    missed: u64,
    blocking_right: u64,
    blocking_missed: u64,
}

/// Counts behind cold and warm scores.
#[derive(Clone, Copy, Debug, Default)]
struct Both {
    cold: Counts,
    warm: Counts,
}

/// The learner, what it hints, what it pushes, and two simpler rules.
const ALGORITHMS: usize = 5;

/// Replays the views.
fn evaluate(views: &Views, config: Config, args: &Evaluate) -> anyhow::Result<Report> {
    let learner = Learner::new(config);
    let host = views.hosts.first().ok_or_else(|| nameless(&views.tally, "--host"))?;
    let site = learner.site(host).with_context(|| format!("{host} is not a host name"))?;
    let teacher = Teacher { learner: &learner, site, names: &views.names };
    let mut pusher = Pusher::default();
    let mut popular = Popular::default();
    let loaders: HashSet<u64> =
        views.list.iter().filter(|view| !view.assets.is_empty()).map(|view| view.client).collect();
    // The names that each client has fetched, and whether one of its views with assets has been scored.
    let mut held: HashMap<u64, (HashSet<NameId>, bool)> = HashMap::new();
    let mut days: BTreeMap<u64, [Both; ALGORITHMS]> = BTreeMap::new();
    let mut sizes: HashMap<NameId, u64> = HashMap::new();
    let engine = Engine::default();
    let budget = Budget { max_hints: args.max_hints, ..engine.budget };
    replay(views, |time, number, event| match event {
        Event::Navigation(view) => {
            let page = views.names.get(view.page);
            let plan = learner.plan(Time::from_millis(time), site, Headstart::page(page), view.class);
            let (mine, seen) = held.entry(view.client).or_default();
            // An asset that was answered 304 was held, whatever the log began with.
            mine.extend(view.assets.iter().filter(|asset| asset.not_modified).map(|asset| asset.name));
            let planned = |from: f32| {
                let above = plan.iter().filter(move |candidate| candidate.lower_bound >= from);
                above.filter_map(|candidate| Some((views.names.find(&candidate.path)?, candidate.bytes)))
            };
            let sendable = |from: f32| planned(from).filter(|(name, _)| !mine.contains(name));
            let hinted: Vec<_> = sendable(engine.hint_threshold).take(budget.max_hints).map(|(name, _)| name).collect();
            let mut left = budget.max_push_bytes;
            let to_push = sendable(engine.push_threshold).take(budget.max_pushes).filter(|(_, bytes)| {
                let fits = *bytes <= left;
                left -= if fits { *bytes } else { 0 };
                fits
            });
            let to_push = to_push.map(|(name, _)| name).collect();
            let predicted = planned(args.threshold).map(|(name, _)| name).collect();
            let simpler = [pusher.predict(time, view.path), popular.predict(view.path)];
            let [by_pusher, by_popularity] = simpler;
            let predictions = [predicted, hinted, to_push, by_pusher, by_popularity];
            if loaders.contains(&view.client) {
                let day = days.entry(time / 86_400_000).or_default();
                for (both, prediction) in day.iter_mut().zip(&predictions) {
                    let scored = Scored { view, views, held: mine, sizes: &sizes };
                    if !*seen && !view.assets.is_empty() {
                        both.cold.score(prediction, &scored);
                    }
                    both.warm.score(prediction, &scored);
                }
                *seen |= !view.assets.is_empty();
            }
            let visit = teacher.navigate(number, view);
            learner.hold(visit, &plan, |known| views.names.find(&known.path).is_some_and(|name| mine.contains(&name)));
            if args.hints {
                let chance = learner.holdout_chance(site, &plan);
                let held_out = draw(view.client, time) < chance;
                learner.drawn(visit, Draw { chance, held_out });
                let [_, hinted, ..] = &predictions;
                for name in hinted.iter().filter(|_| !held_out) {
                    learner.delivered(visit, views.names.get(*name), Delivery::Hinted);
                }
            }
        }
        Event::Gone(gone) => teacher.gone(gone),
        Event::Fetch(view, asset) => {
            teacher.fetch(number, view, asset);
            pusher.record(time, view.path, asset.name);
            popular.record(view.path, asset.name);
            held.entry(view.client).or_default().0.insert(asset.name);
            if !asset.not_modified {
                sizes.insert(asset.name, asset.bytes);
            }
        }
    });
    let mut totals = [Both::default(); ALGORITHMS];
    for day in days.values() {
        for (total, both) in totals.iter_mut().zip(day) {
            total.cold.add(&both.cold);
            total.warm.add(&both.warm);
        }
    }
    let [ours, hint, push, five_minutes, ten] = totals;
    Ok(Report {
        learner: ours.scores(),
        sent: BTreeMap::from([("hint", hint.scores()), ("push", push.scores())]),
        baselines: BTreeMap::from([("pusher", five_minutes.scores()), ("top_ten", ten.scores())]),
        days: days.into_iter().map(|(day, [ours, ..])| (date(day), ours.scores())).collect(),
    })
}

impl Both {
    fn scores(&self) -> Scores {
        Scores { cold: self.cold.score_of(), warm: self.warm.score_of() }
    }
}

/// A number from 0 to 1 for a client and a day, as the engine draws one.
fn draw(client: u64, time: u64) -> f32 {
    let number = identity(&[&client.to_le_bytes(), &(time / 86_400_000).to_le_bytes()]);
    (number >> 40) as f32 / (1_u64 << 24) as f32
}

/// A view and what is known of its client before it.
struct Scored<'a> {
    view: &'a View,
    views: &'a Views,
    held: &'a HashSet<NameId>,
    /// Bytes of what was fetched last.
    sizes: &'a HashMap<NameId, u64>,
}

impl Scored<'_> {
    /// Whether a page is not drawn without it.
    fn is_blocking(&self, name: NameId) -> bool {
        let destination = destination(without_query(self.views.names.get(name)));
        matches!(destination, Some(Destination::Style | Destination::Script | Destination::Font))
    }
}

impl Counts {
    /// Compares a prediction with what was fetched, leaving out what the client held.
    fn score(&mut self, prediction: &[NameId], of: &Scored<'_>) {
        let Scored { view, held, sizes, .. } = of;
        let truth: HashSet<NameId> =
            view.assets.iter().map(|asset| asset.name).filter(|name| !held.contains(name)).collect();
        let predicted: HashSet<NameId> = prediction
            .iter()
            .copied()
            .filter(|name| !held.contains(name) && *name != view.page && *name != view.path)
            .collect();
        let right = truth.intersection(&predicted).count() as u64;
        let blocking = truth.iter().filter(|name| of.is_blocking(**name));
        let (found, missed): (Vec<NameId>, Vec<NameId>) = blocking.copied().partition(|name| predicted.contains(name));
        self.blocking_right += found.len() as u64;
        self.blocking_missed += missed.len() as u64;
        let wasted = predicted.difference(&truth).map(|name| sizes.get(name).copied().unwrap_or(0));
        self.wasted_bytes += wasted.sum::<u64>();
        self.views += 1;
        self.right += right;
        self.wasted += predicted.len() as u64 - right;
        self.missed += truth.len() as u64 - right;
    }

    fn add(&mut self, other: &Self) {
        self.views += other.views;
        self.right += other.right;
        self.wasted += other.wasted;
        self.wasted_bytes += other.wasted_bytes;
        self.blocking_right += other.blocking_right;
        self.blocking_missed += other.blocking_missed;
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
            wasted_bytes_per_view: share(self.wasted_bytes, self.views),
            blocking_recall: share(self.blocking_right, self.blocking_right + self.blocking_missed),
        }
    }
}

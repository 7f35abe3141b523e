//! Pages that stop needing files which the server still has.

use super::curve::Curve;
use super::histories::Histories;
use super::outcome::{Outcome, recall, since};
use super::row::Row;
use super::simulation::{HOUR, MINUTE, SECOND};
use super::visitor::{Visitor, files};

/// The measures of a redesign, over all seeds.
struct Seen {
    /// The first view without junk for good.
    clean: Vec<usize>,
    /// Hold-outs until then.
    holdouts: Vec<usize>,
    recalls: Vec<f64>,
}

/// Six of twelve files are needed no longer; or twelve others instead of them.
pub(crate) fn redesigns(
    histories: &mut Histories,
    seeds: u64,
    paces: &[(u64, &str)],
    curves: &mut Vec<Curve>,
) -> Vec<Row> {
    let old = Histories::needs();
    let fewer = old.get(..6).unwrap_or_default().to_vec();
    let mut others = fewer.clone();
    others.extend(files("c", 6, "min"));
    let mut rows = Vec::new();
    for (name, needs) in [("6 of 12 files dropped", &fewer), ("6 of 12 files replaced by other names", &others)] {
        for (every, pace) in paces {
            let limit = if *every <= SECOND { 600 } else { 300 };
            let mut seen = Seen { clean: Vec::new(), holdouts: Vec::new(), recalls: Vec::new() };
            let mut all = Vec::new();
            for seed in 0..seeds {
                let mut simulation = histories.after(*every, 1_000 + seed);
                let outcomes = simulation.visits(limit + 200, *every, |random, _| {
                    if random.chance(0.03) { Visitor::bot("/", needs) } else { Visitor::new("/", needs) }
                });
                let kept: Vec<Outcome> = outcomes.iter().map(|outcome| only(outcome, &fewer)).collect();
                let clean = since(&outcomes, |outcome| outcome.junk() == 0);
                seen.recalls.push(recall(&kept));
                seen.holdouts.push(outcomes.iter().take(clean).filter(|outcome| outcome.held_out).count());
                seen.clean.push(clean);
                all.extend(outcomes);
            }
            let case = |what: &str| format!("{name}, 3 % bots, 1 view per {pace}, {seeds} seeds: {what}");
            rows.push(Row::at_most(
                case("median view from which there is no junk"),
                median(&mut seen.clean),
                "",
                limit as f64,
            ));
            rows.push(Row::at_most(case("median hold-outs until then"), median(&mut seen.holdouts), "", 6.0));
            let least = seen.recalls.into_iter().fold(1.0, f64::min);
            rows.push(Row::at_least(case("least recall of what is still needed"), least, "", 0.95));
            if *every == MINUTE && name.ends_with("dropped") {
                curves.push(Curve::of_all("6 of 12 files dropped", &all, limit + 200));
            }
        }
    }
    rows
}

/// A crowd needs four of the twelve files for an hour; then all are needed as before.
pub(crate) fn flash_crowd(histories: &mut Histories, crowd: u64, curves: &mut Vec<Curve>) -> Vec<Row> {
    let needs = Histories::needs();
    let few = needs.get(..4).unwrap_or_default().to_vec();
    let mut simulation = histories.after(MINUTE, 13);
    simulation.visits(crowd, HOUR / crowd.max(1), |_, _| Visitor::new("/", &few));
    let outcomes = simulation.visits(180, MINUTE, |_, _| Visitor::new("/", &needs));
    curves.push(Curve::of("after a flash crowd", &outcomes));
    let late = outcomes.get(60..).unwrap_or_default();
    let case = format!("{crowd} views in an hour that need 4 of 12: recall from an hour after on");
    vec![Row::at_least(case, recall(late), "", 0.95)]
}

/// The outcome as far as these files go.
fn only(outcome: &Outcome, files: &[std::rc::Rc<str>]) -> Outcome {
    let needed = outcome.needed.iter().filter(|path| files.contains(path)).cloned().collect();
    Outcome { needed, ..outcome.clone() }
}

/// The mean of the two in the middle, where there are two.
fn median(values: &mut [usize]) -> f64 {
    values.sort_unstable();
    let middle = |at: usize| values.get(at).copied().unwrap_or_default() as f64;
    f64::midpoint(middle(values.len().saturating_sub(1) / 2), middle(values.len() / 2))
}

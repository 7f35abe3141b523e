//! The report of `headstart evaluate` for people.

use std::fmt::Write as _;

use crate::score::{Report, Score, Scores};
use crate::views::Views;

type Pick = fn(&Scores) -> Score;

/// The table, with a line end after each row.
pub(crate) fn table(report: &Report, views: &Views) -> String {
    let mut text = format!("site: {}\n\n", views.hosts.join(", "));
    let _ = writeln!(
        text,
        "{:<24} {:>7} {:>9} {:>7} {:>9} {:>7} {:>12} {:>13}",
        "", "views", "precision", "recall", "blocking", "F1", "wasted/view", "KB wasted"
    );
    let kinds: [(&str, Pick); 2] = [("cold", |scores| scores.cold), ("warm", |scores| scores.warm)];
    for (kind, pick) in kinds {
        row(&mut text, &format!("{kind}: headstart"), pick(&report.learner));
        for (name, scores) in &report.sent {
            row(&mut text, &format!("{kind}: {name}"), pick(scores));
        }
        for (name, scores) in &report.baselines {
            row(&mut text, &format!("{kind}: {name}"), pick(scores));
        }
    }
    text.push('\n');
    for (day, scores) in &report.days {
        for (kind, pick) in kinds {
            row(&mut text, &format!("{day} {kind}"), pick(scores));
        }
    }
    text
}

fn row(text: &mut String, name: &str, score: Score) {
    let _ = writeln!(
        text,
        "{name:<24} {:>7} {:>9.3} {:>7.3} {:>9.3} {:>7.3} {:>12.2} {:>13.1}",
        score.views,
        score.precision,
        score.recall,
        score.blocking_recall,
        score.f1,
        score.wasted_per_view,
        score.wasted_bytes_per_view / 1000.0
    );
}

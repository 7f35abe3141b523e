//! The intervals by simulation, in brief; `cargo xtask bench gain` runs the same with 2,000 runs.

use headstart_benches::gain::simulation::{Site, run};

/// Among so many runs, at a true rate of 5 %, more than this many misses have a chance of 1 in 1,000.
const RUNS: usize = 300;
const TOLERATED: usize = 28;

#[test]
fn intervals_cover_the_truth_at_all_thirty_daily_looks_together() {
    let site = Site { views_a_day: 400, held_out: 0.25, gain: 0.2, sigma: 0.9, days: 30 };
    let missed = (0..RUNS).filter(|seed| !run(site, *seed as u64).always_covered).count();
    assert!(missed <= TOLERATED, "{missed} of {RUNS}");
}

#[test]
fn help_that_is_given_to_both_arms_raises_no_alarm() {
    let site = Site { views_a_day: 400, held_out: 0.25, gain: 0.0, sigma: 0.9, days: 30 };
    let alarms = (0..RUNS).filter(|seed| run(site, *seed as u64).certain_on_day.is_some()).count();
    assert!(alarms <= TOLERATED, "{alarms} of {RUNS}");
}

#[test]
fn a_gain_of_a_tenth_is_seen_within_two_weeks_at_ten_thousand_views_a_day() {
    let site = Site { views_a_day: 10_000, held_out: 1.0 / 32.0, gain: 0.1, sigma: 0.9, days: 14 };
    let runs = 20;
    let seen = (0..runs).filter(|seed| run(site, *seed).certain_on_day.is_some()).count() as u64;
    assert!(seen >= runs * 8 / 10, "{seen} of {runs}");
}

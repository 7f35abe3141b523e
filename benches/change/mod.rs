//! Days of a site, simulated: `cargo bench -p headstart-benches --bench change -- [--quick] [PART OF A NAME]`.
//!
//! Clients with caches and cookies send requests to the policy of a connection each, as the HTTP/2 driver does, and get
//! responses, by a clock that the simulation moves; hints and hold-outs are in effect with the settings that they have by
//! default. Before a change the site was as it is for three days. *Recall* is the part of what a page needed, and its
//! client did not hold, that was named in the 103; *junk* is what was named and not needed; both are means over the
//! views that were not held out. All numbers are the same in every run.

mod browser;
mod crowds;
mod curve;
mod deploys;
mod histories;
mod mixups;
mod moments;
mod outcome;
mod random;
mod redesigns;
mod returning;
mod row;
mod silence;
mod simulation;
mod variants;
mod visitor;

use crate::plot::{self, Labels, Line};

use curve::Curve;
use histories::Histories;
use row::Row;

/// A group of rows.
struct Case {
    name: &'static str,
    run: Box<Run>,
}

type Run = dyn Fn(&mut Histories, &mut Vec<Curve>) -> Vec<Row>;

fn case(name: &'static str, run: impl Fn(&mut Histories, &mut Vec<Curve>) -> Vec<Row> + 'static) -> Case {
    Case { name, run: Box::new(run) }
}

/// All cases, the long ones shorter with `quick`.
fn cases(quick: bool) -> Vec<Case> {
    let short = move |long: u64, short: u64| if quick { short } else { long };
    let seeds = short(20, 5);
    let shares: &[f64] = if quick { &[0.75, 0.95] } else { &[0.75, 0.85, 0.9, 0.95] };
    let counts: &[u64] = if quick { &[10, 100] } else { &[10, 100, 10_000] };
    vec![
        case("deploy", |histories, curves| deploys::all_names(histories, &deploys::PACES, curves)),
        case("stylesheet", |histories, curves| deploys::new_stylesheet(histories, &deploys::PACES, curves)),
        case("redesign", move |histories, curves| redesigns::redesigns(histories, seeds, &deploys::PACES[1..], curves)),
        case("crowd", move |histories, curves| redesigns::flash_crowd(histories, short(36_000, 4_000), curves)),
        case("silence", move |_, _| silence::silence(counts)),
        case("seldom", move |_, _| silence::seldom(short(300, 60))),
        case("returning", move |_, _| returning::holders(short(6_000, 1_500), shares)),
        case("clicks", move |_, _| moments::clicks(short(2_000, 400))),
        case("classes", move |_, _| variants::classes(short(2_000, 400))),
        case("queries", move |_, _| variants::queries(short(2_000, 400))),
        case("experiment", move |_, _| variants::experiment(short(2_000, 400))),
        case("large page", move |_, _| variants::large_page(short(100, 30))),
        case("mix-ups", move |_, _| mixups::mixups(short(300, 60))),
        case("bots", move |_, _| crowds::bots(short(4_000, 600))),
        case("forgers", move |_, _| crowds::forgers(short(6_000, 1_000))),
        case("pages", move |_, _| crowds::many_pages(short(100_000, 10_000), short(400_000, 20_000))),
    ]
}

/// Runs the benchmark.
///
/// # Panics
///
/// If the report cannot be written.
pub fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let quick = words.iter().any(|word| word == "--quick");
    let part = words.iter().find(|word| !word.starts_with("--")).cloned().unwrap_or_default();
    Row::print_head();
    let (mut histories, mut curves, mut rows) = (Histories::new(quick), Vec::new(), Vec::new());
    for case in cases(quick).iter().filter(|case| case.name.contains(&part)) {
        let found = (case.run)(&mut histories, &mut curves);
        found.iter().for_each(Row::print);
        rows.extend(found);
    }
    draw(&curves);
    let json: Vec<_> = rows.iter().map(Row::json).collect();
    crate::rows::write(&serde_json::to_string_pretty(&json).expect("rows are JSON"));
}

/// A few rows on short histories, with their targets.
///
/// # Panics
///
/// If a row misses its target.
pub fn brief() {
    let (mut histories, mut curves) = (Histories::new(true), Vec::new());
    let pace = &deploys::PACES[1..2];
    let mut rows = deploys::all_names(&mut histories, pace, &mut curves);
    rows.extend(deploys::new_stylesheet(&mut histories, pace, &mut curves));
    rows.extend(redesigns::redesigns(&mut histories, 1, pace, &mut curves));
    rows.extend(silence::silence(&[10]));
    rows.extend(returning::holders(400, &[0.85]));
    rows.extend(moments::clicks(100));
    rows.extend(mixups::mixups(20));
    rows.extend(crowds::forgers(200));
    Row::print_head();
    rows.iter().for_each(Row::print);
    assert!(rows.iter().all(Row::is_met), "a row misses its target");
}

/// The plots of recall and of junk after each change.
fn draw(curves: &[Curve]) {
    const COLOURS: [&str; 5] = ["#1f5fbf", "#c2571a", "#2a7f3f", "#7a3fa0", "#555555"];
    let end = curves.iter().flat_map(|curve| &curve.points).map(|point| point.0).fold(10.0, f64::max);
    let marks: Vec<(f64, String)> = [1.0, 10.0, 100.0, 1_000.0]
        .into_iter()
        .filter(|mark| mark / 10.0 < end)
        .map(|mark| (mark, mark.to_string()))
        .collect();
    let plots = [
        ("change-recall.svg", "Recall after a change, 1 view a minute", "recall, %"),
        ("change-junk.svg", "Junk after a change, 1 view a minute", "useless hints a view"),
    ];
    for (which, (file, title, y)) in plots.into_iter().enumerate() {
        let lines: Vec<Line> = curves
            .iter()
            .enumerate()
            .map(|(at, curve)| Line {
                name: curve.name,
                colour: COLOURS[at % COLOURS.len()],
                dashed: at % 2 == 1,
                points: curve
                    .points
                    .iter()
                    .map(|point| (point.0, if which == 0 { point.1 } else { point.2 }))
                    .collect(),
            })
            .collect();
        if !lines.is_empty() {
            let labels = Labels { title, x: "views since the change", y };
            let path = crate::rows::beside(file);
            std::fs::write(&path, plot::svg(&labels, &marks, &lines))
                .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        }
    }
}

//! Pages in headless Chromium: ours with 103 and with nothing, and nginx.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::contest::{CONTESTANTS, NGINX, OURS, PLAIN};
use super::link_case::EVEN;
use super::measure::{LEARNED_AFTER, TEACHING};
use super::shape::{self, Shape};
use super::site;
use crate::link::Conditions;
use crate::page_load::browser::{Expected, Painted};
use crate::page_load::contest::{Contestant, Way};
use crate::page_load::lane::Lane;
use crate::page_load::notes::Notes;
use crate::page_load::run::described_link;
use crate::page_load::site::Site;
use crate::page_load::summary::median;
use crate::peers::{Error, find_on_path};

/// How long servers think over a page, ms: at once a 103 saves a browser nothing but its parser's time.
const THINK: u64 = 200;
const SERVERS: [&str; 3] = [OURS, PLAIN, NGINX];

/// The loads of a page: by round, those of each server.
type Loads = BTreeMap<&'static str, Vec<Painted>>;

/// Every third page (ten) in twenty rounds with `all`, else three pages in seven rounds; one in two with `quick`.
pub(super) fn run(quick: bool, all: bool) {
    let (step, rounds) = match (quick, all) {
        (true, _) => (30, 2),
        (_, true) => (3, 20),
        _ => (10, 7),
    };
    let mut notes = Notes::default();
    let mut rows = Vec::new();
    for program in ["chromium", "chromedriver"] {
        if find_on_path(program).is_none() {
            notes.missing.insert(format!("{program} is not installed"));
            notes.print();
            return;
        }
    }
    println!(
        "| page | server | largest paint, ms | against ours with nothing | load event, ms |\n|---|---|---:|---:|---:|"
    );
    let shapes = shape::all().expect("the shapes can be read");
    match described_link(0).and_then(|(link, what)| {
        notes.links.insert(what);
        Lane::new(link, 0, TEACHING)
    }) {
        Ok(mut lane) => {
            for shape in shapes.iter().skip(1).step_by(step) {
                let loads = load(&mut lane, shape, rounds, &mut notes);
                lane.clear();
                rows.extend(report(shape, &loads));
            }
        }
        Err(why) => notes.failed.push(why),
    }
    println!();
    notes.print();
    crate::rows::write(&format!("{:#}\n", Value::Array(rows)));
}

fn load(lane: &mut Lane, shape: &Shape, rounds: usize, notes: &mut Notes) -> Loads {
    let site: Arc<Site> = Arc::new(site::of(shape));
    let mut servers: Vec<&Contestant> = Vec::new();
    for one in CONTESTANTS.iter().filter(|one| SERVERS.contains(&one.name)) {
        match lane.start(one, THINK, Arc::clone(&site)) {
            Ok(()) => servers.push(one),
            Err(Error::Missing(name)) => {
                notes.missing.insert(format!("{name} is not installed"));
            }
            Err(Error::Failed(why)) => notes.failed.push(format!("{}, {}: {why}", shape.id, one.name)),
        }
    }
    std::thread::sleep(LEARNED_AFTER);
    // Visits are learned with the next one, which gets the plan from before.
    for one in servers.iter().filter(|one| one.learns.is_some()) {
        if let Err(why) = lane.load(one, THINK, &mut lane.profile(Way::Plain), Site::one, Conditions::new(2, 1_000)) {
            notes.failed.push(format!("{}, {}: {why}", shape.id, one.name));
        }
    }
    let mut loads = Loads::new();
    for round in 0..rounds {
        // Nobody is always first.
        let turn = round % servers.len().max(1);
        servers.rotate_left(turn);
        for one in &servers {
            match lane.browse(one, THINK, Expected::Markup, EVEN.conditions(round)) {
                Ok(painted) => loads.entry(one.name).or_default().push(painted),
                Err(why) => notes.failed.push(format!("{}, {}: {why}", shape.id, one.name)),
            }
        }
    }
    loads
}

fn report(shape: &Shape, loads: &Loads) -> Vec<Value> {
    let middle = |name: &str, time: fn(&Painted) -> f64| Some(median(loads.get(name)?.iter().map(time).collect()));
    let nothing = middle(PLAIN, |painted| painted.paint);
    let mut rows = Vec::new();
    for name in SERVERS {
        let (Some(paint), Some(load)) = (middle(name, |one| one.paint), middle(name, |one| one.load)) else { continue };
        let ratio = nothing.map(|nothing| paint / nothing);
        let against = ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
        println!("| {} {} | {name} | {paint:.0} | {against} | {load:.0} |", shape.id, shape.kind);
        let ours = name == OURS;
        rows.push(json!({
            "area": "painted", "name": format!("{}, largest paint in Chromium, {name}", shape.id), "unit": "ms",
            "ours": paint.round(), "peer": nothing.map(f64::round), "peer_name": PLAIN,
            "ratio": ratio.map(|ratio| (ratio * 1_000.0).round() / 1_000.0), "target": ours.then_some("<= 1.05"),
            "pass": ratio.filter(|_| ours).map(|ratio| ratio <= 1.05), "load": load.round(),
            "loads": loads.get(name).map_or(0, Vec::len),
        }));
    }
    rows
}

//! The figures as lines of JSON, for others to compute with. `examples/gain.py` makes of them what the dashboard shows.
//!
//! The first line says what it is and has the edges of the bins. Then come, of each scope (the site, each page that may be
//! named, all others together, and A/A), a line of its own, and one for each stratum and arm.

use headstart::Headstart;
use headstart_gain::{BINS, Sketch, Volume, bounds};
use serde_json::{Value, json};

use super::super::ledger::{Account, BrowserFigures, Figures, Ledger, METRICS};

/// Pages that are listed; the heaviest.
const MAX_PAGES: usize = 1024;

/// Lines of JSON, each with its line break. Pages that have not passed the network gate are among the others.
pub(crate) fn rows(headstart: &Headstart, ledger: &Ledger) -> String {
    let known = headstart.pages(MAX_PAGES);
    let mut lines = Lines(String::new());
    let edges: Vec<f64> = (0..BINS).map(|bin| bounds(bin).0).chain([bounds(BINS - 1).1]).collect();
    lines.push(&json!({
        "row": "figures",
        "version": 1,
        "seconds": ledger.age().as_secs(),
        "quantiles": super::QUANTILES.map(|(_, share)| share),
        "weight_unit": 256,
        "bin_edges_seconds": edges,
    }));
    lines.scope(&json!({ "scope": "site" }), &ledger.all_pages());
    let mut unnamed = ledger.other_pages();
    for (page, figures) in ledger.named(known.shown.iter().map(|page| (&*page.authority, &*page.path)), &mut unnamed) {
        let (authority, path) = page;
        lines.scope(&json!({ "scope": "page", "host": authority, "page": path }), &figures);
    }
    lines.scope(&json!({ "scope": "other pages" }), &unnamed);
    lines.scope(&json!({ "scope": "aa" }), &ledger.aa());
    lines.browser(&ledger.browser());
    lines.0
}

struct Lines(String);

impl Lines {
    fn push(&mut self, value: &Value) {
        self.0.push_str(&value.to_string());
        self.0.push('\n');
    }

    /// The lines of what browsers reported; none if none did.
    fn browser(&mut self, figures: &BrowserFigures) {
        for (at, (metric, _)) in METRICS.iter().enumerate() {
            let Some(strata) = figures.metric(at).filter(|strata| strata.views() > 0) else { continue };
            let name = json!({ "scope": "browser", "metric": metric });
            let views = json!({
                "helped": { "shown": figures.helped, "timed": strata.merged().helped.views() },
                "held_out": { "shown": figures.held_out, "timed": strata.merged().held_out.views() },
            });
            let first_look = figures.first_look();
            self.push(&with(&name, json!({ "row": "scope", "first_look": first_look, "views": views })));
            for (stratum, arms) in strata.iter() {
                for (arm, sketch, bytes) in
                    [("helped", &arms.helped, &arms.helped_bytes), ("held_out", &arms.held_out, &arms.held_out_bytes)]
                {
                    let of = json!({
                        "row": "arm",
                        "outlet": stratum.outlet(),
                        "device": if stratum.phone { "phone" } else { "other" },
                        "returning": stratum.returning,
                        "round_trip": stratum.round_trip(),
                        "arm": arm,
                        "bytes": volume(bytes),
                    });
                    self.push(&with(&name, with(&of, times(sketch))));
                }
            }
        }
    }

    /// The lines of a scope; none of one that has seen no view.
    fn scope(&mut self, name: &Value, figures: &Figures) {
        let (helped, held_out) = (figures.account(false), figures.account(true));
        if helped.shown == 0 && held_out.shown == 0 {
            return;
        }
        let first_look = figures.first_look();
        let views = json!({ "helped": account(helped), "held_out": account(held_out) });
        self.push(&with(name, json!({ "row": "scope", "first_look": first_look, "views": views })));
        for (stratum, arms) in figures.strata().iter() {
            for (arm, sketch, bytes) in
                [("helped", &arms.helped, &arms.helped_bytes), ("held_out", &arms.held_out, &arms.held_out_bytes)]
            {
                let of = json!({
                    "row": "arm",
                    "outlet": stratum.outlet(),
                    "device": stratum.device(),
                    "returning": stratum.returning,
                    "arm": arm,
                });
                let of = with(&of, times(sketch));
                self.push(&with(name, with(&of, json!({ "bytes": volume(bytes) }))));
            }
        }
    }
}

fn with(first: &Value, second: Value) -> Value {
    let mut all = first.clone();
    if let (Value::Object(all), Value::Object(more)) = (&mut all, second) {
        all.extend(more);
    }
    all
}

fn times(sketch: &Sketch) -> Value {
    let (squares, views, clients) = sketch.counts();
    json!({
        "views": views,
        "first_views_of_clients": clients,
        "weight_squares": squares,
        "bins": sketch.rows().collect::<Vec<_>>(),
    })
}

fn volume(volume: &Volume) -> Value {
    let sums = volume.sums();
    json!({
        "views": sums.views,
        "first_views_of_clients": sums.clients,
        "weight": sums.weight,
        "weight_squares": sums.weight_squares,
        "unit": Volume::UNIT,
        // Beyond what a number of JSON holds exactly.
        "sum": sums.sum.to_string(),
        "squares": sums.squares.to_string(),
    })
}

fn account(account: &Account) -> Value {
    json!({
        "shown": account.shown,
        "timed": account.timed,
        "nothing_planned": account.nothing_planned,
        "nothing_loaded": account.nothing_loaded,
        "cut_off": account.cut_off,
        "returning": account.returning,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use headstart::learn::ClientClass;

    use super::super::{Gain, QUANTILES};
    use super::*;

    /// A ledger of many views of one site, of all strata and both arms, at odd weights.
    fn ledger(views: u64, days: u64) -> Ledger {
        let ledger = Ledger::new(None);
        for view in 0..views {
            let mixed = view.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let held_out = mixed % 9 == 0;
            let class = if mixed % 5 < 2 { ClientClass::Phone } else { ClientClass::Other };
            let milliseconds = 80 + mixed / 7 % 900 + if held_out { 120 } else { 0 };
            ledger.timed(held_out, class, mixed % 3 == 0, Duration::from_millis(milliseconds), view * days / views);
        }
        ledger
    }

    fn recomputed(rows: &str) -> Vec<Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/gain.py");
        let mut python = Command::new("python3");
        python.arg(script).arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3 starts");
        child.stdin.take().expect("a pipe").write_all(rows.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "it says what it cannot read");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[track_caller]
    fn near(found: &Value, expected: f64) {
        let found = found.as_f64().expect("a number");
        assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} and {expected}");
    }

    #[test]
    fn a_script_of_others_computes_from_the_rows_what_the_dashboard_shows() {
        if !testkit::tools::have(&["python3"]) {
            return;
        }
        let headstart = Headstart::builder().memory_bytes(1 << 20).build().expect("settings in range");
        for (views, days) in [(40, 1), (20_000, 1), (60_000, 40)] {
            let ledger = ledger(views, days);
            let scopes = recomputed(&rows(&headstart, &ledger));
            let site = scopes.iter().find(|scope| scope["scope"] == "site").expect("the site");
            let figures = ledger.all_pages();
            let gain = Gain::of(&figures);
            assert_eq!(figures.is_preliminary(), days == 1);
            assert_eq!(gain.median().is_some(), views > 1_000, "the cases differ");
            for (number, (_, share)) in QUANTILES.iter().enumerate() {
                let found = &site["at"][number];
                match &gain.at[number] {
                    None => assert!(found.is_null(), "{found}"),
                    Some(expected) => {
                        near(&found["quantile"], *share);
                        near(&found["held_out_seconds"], expected.held_out);
                        near(&found["helped_seconds"], expected.helped);
                        near(&found["low_share"], expected.low);
                        near(&found["high_share"], expected.high);
                        near(&found["until_five_percent"], expected.until_five_percent);
                    }
                }
            }
            match &gain.extra {
                None => assert!(site["extra_bytes"].is_null()),
                Some(expected) => {
                    for (name, expected) in
                        [("low", expected.low), ("high", expected.high), ("helped", expected.helped)]
                    {
                        near(&site["extra_bytes"][name], expected);
                    }
                }
            }
            assert_eq!(site["views"]["held_out"]["timed"], gain.accounts.without.timed);
            // No page may be named: all are among the others.
            assert!(scopes.iter().any(|scope| scope["scope"] == "other pages"));
            assert!(scopes.iter().all(|scope| scope["page"].is_null()));
        }
    }
}

//! Comparison with an earlier run: rows that got slower or quicker.

use serde_json::Value;
use std::fmt::Write as _;

/// Differences below this share are noise, unless the row names a spread of its own. Machines that run benchmarks
/// share their cores; medians of ratios repeat within a tenth or so.
const NOISE: f64 = 0.15;

/// Compares two reports (the value of `report.json`) row by row. Ratios to a peer are compared where there are any,
/// for they cancel what the machine does; else our own figures.
pub(crate) fn compare(before: &Value, now: &Value) -> String {
    let mut text = format!("\n## Against the baseline\n\nBaseline: commit {}", plain(&before["commit"]));
    if before["machine"] != now["machine"] {
        let _ = write!(text, "; **another machine**: {}", plain(&before["machine"]));
    }
    if before["quick"] != now["quick"] {
        text.push_str("; **one of the two runs is a quick one**");
    }
    text.push_str(".\n\n");
    let mut changes: Vec<(f64, String)> = Vec::new();
    let (mut compared, mut gone) = (0, Vec::new());
    for (area, old) in rows(before) {
        let Some((_, new)) = rows(now).find(|(name, row)| *name == area && is_same(row, old)) else {
            if list(&now["areas"]).any(|run| run["area"] == area) {
                gone.push(format!("{area}: {}", plain(&old["name"])));
            }
            continue;
        };
        let Some((gain, what)) = gain(old, new) else { continue };
        compared += 1;
        let spread = [old, new].iter().filter_map(|row| row["spread"].as_f64()).fold(NOISE, f64::max);
        if gain.ln().abs() > (1.0 + spread).ln() {
            let verdict = if gain < 1.0 { "**worse**" } else { "better" };
            let line = format!("| {area} | {} | {what} | {gain:.2} | {verdict} |", plain(&old["name"]));
            changes.push((gain, line));
        }
    }
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    if changes.is_empty() {
        let _ = writeln!(text, "No difference beyond the noise in {compared} rows.");
    } else {
        text.push_str("| area | row | before -> now | gain | |\n|---|---|---|---:|---|\n");
        for (_, line) in changes {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "\nThe other rows of {compared} differ by less than the noise ({:.0}%).", NOISE * 100.0);
    }
    for row in gone {
        let _ = writeln!(text, "\nNo longer measured: {row}.");
    }
    text
}

/// By how much the new row is better than the old one, as a factor, and what was compared.
fn gain(old: &Value, new: &Value) -> Option<(f64, String)> {
    for (field, less_is_better) in [("ratio", false), ("ours", is_cost(&plain(&new["unit"])))] {
        if let (Some(before), Some(now)) = (old[field].as_f64(), new[field].as_f64())
            && before > 0.0
            && now > 0.0
        {
            let gain = if less_is_better { before / now } else { now / before };
            return Some((gain, format!("{field} {before:.2} -> {now:.2}")));
        }
    }
    None
}

/// Rates and scores are better when they are larger; times, bytes and all else when smaller.
fn is_cost(unit: &str) -> bool {
    !(unit.contains("/s") || ["F1", "share", "ratio", "times"].contains(&unit))
}

fn is_same(a: &Value, b: &Value) -> bool {
    a["name"] == b["name"] && a["peer_name"] == b["peer_name"]
}

fn rows(report: &Value) -> impl Iterator<Item = (String, &Value)> {
    list(&report["areas"]).flat_map(|area| list(&area["rows"]).map(|row| (plain(&area["area"]), row)))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(rows: &Value) -> Value {
        json!({"commit": "1", "machine": "m", "quick": false, "areas": [{"area": "a", "rows": rows}]})
    }

    #[test]
    fn what_is_beyond_the_noise_is_named() {
        let row = |name: &str, ratio: f64| json!({"name": name, "ratio": ratio});
        let before = report(&json!([row("same", 2.0), row("slower", 2.0), row("quicker", 2.0), row("gone", 1.0)]));
        let now = report(&json!([row("same", 2.1), row("slower", 1.5), row("quicker", 3.0), row("new", 1.0)]));
        let text = compare(&before, &now);
        assert!(text.contains("| a | slower | ratio 2.00 -> 1.50 | 0.75 | **worse** |"), "{text}");
        assert!(text.contains("| a | quicker | ratio 2.00 -> 3.00 | 1.50 | better |"), "{text}");
        assert!(!text.contains("| same |") && text.contains("No longer measured: a: gone"), "{text}");
    }

    #[test]
    fn without_a_peer_the_unit_says_what_is_better() {
        let one = |unit: &str, ours: f64| report(&json!([{"name": "x", "unit": unit, "ours": ours, "ratio": null}]));
        assert!(compare(&one("ns", 10.0), &one("ns", 20.0)).contains("worse"));
        assert!(compare(&one("requests/s", 10.0), &one("requests/s", 20.0)).contains("better"));
        assert!(compare(&one("ns", 10.0), &one("ns", 11.0)).contains("No difference"));
    }

    #[test]
    fn a_row_may_name_its_own_spread() {
        let one = |ratio: f64| report(&json!([{"name": "x", "ratio": ratio, "spread": 0.5}]));
        assert!(compare(&one(1.0), &one(1.4)).contains("No difference"));
        assert!(compare(&one(1.0), &one(1.6)).contains("better"));
    }
}

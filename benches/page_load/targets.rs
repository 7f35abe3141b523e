//! The links and contestants that targets are set for, and a target's row.

use serde_json::{Value, json};

/// Ours.
pub(crate) const OURS: &str = "headstart";
pub(crate) const NOTHING: &str = "headstart, nothing sent early";
pub(crate) const ORACLE: &str = "oracle";
pub(crate) const H2: &str = "h2 order";
/// The link that targets speak of: 100 ms, 10 Mbit/s.
pub(crate) const LINK: (u64, u64, u64) = (100, 10, 0);
pub(crate) const THINKING: (u64, u64, u64) = (100, 10, 200);

pub(crate) const AREA: &str = "page-load";

/// A time against another's.
pub(crate) fn at_most(name: &str, ours: f64, peer: f64, peer_name: &str, most: f64) -> Value {
    let ratio = ours / peer;
    json!({
        "area": AREA, "name": name, "unit": "ms", "ours": rounded(ours), "peer": rounded(peer),
        "peer_name": peer_name, "ratio": (ratio * 1000.0).round() / 1000.0, "target": format!("<= {most}"),
        "pass": ratio <= most,
    })
}

pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A figure with a verdict.
pub(crate) fn flag(area: &str, name: &str, ours: f64, target: &str, pass: bool) -> Value {
    json!({
        "area": area, "name": name, "unit": "", "ours": (ours * 1_000.0).round() / 1_000.0, "peer": null, "peer_name": null,
        "ratio": null, "target": target, "pass": pass,
    })
}

/// Prints which targets were met, and writes them and what was measured besides where `HEADSTART_BENCH_JSON` says.
pub(crate) fn publish(mut targets: Vec<Value>, measured: impl IntoIterator<Item = Value>) {
    judge(&targets);
    targets.extend(measured);
    crate::rows::write(&format!("{:#}\n", Value::Array(targets)));
}

/// Prints the rows of targets as a table.
pub(crate) fn judge(rows: &[Value]) {
    println!("| target | ours | against | ratio | asked | |\n|---|---:|---|---:|---|---|");
    for row in rows {
        let text = |key: &str| match &row[key] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let against =
            if row["peer"].is_null() { String::new() } else { format!("{} {}", text("peer_name"), text("peer")) };
        let verdict = if row["pass"] == true { "pass" } else { "**falls short**" };
        println!(
            "| {} | {} | {against} | {} | {} | {verdict} |",
            text("name"),
            text("ours"),
            text("ratio"),
            text("target")
        );
    }
    println!();
}

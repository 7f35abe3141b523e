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

/// A time against another's.
pub(crate) fn at_most(name: &str, ours: f64, peer: f64, peer_name: &str, most: f64) -> Value {
    let ratio = ours / peer;
    json!({
        "area": "page-load", "name": name, "unit": "ms", "ours": rounded(ours), "peer": rounded(peer),
        "peer_name": peer_name, "ratio": (ratio * 1000.0).round() / 1000.0, "target": format!("<= {most}"),
        "pass": ratio <= most,
    })
}

pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

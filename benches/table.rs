//! Rows of a benchmark: a Markdown table on standard output, and JSON where asked for.

use std::fmt::Write as _;
use std::time::Duration;

/// Collects rows. Times are of one operation.
pub(crate) struct Table {
    json: Vec<String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        println!("| learn, ns an operation | headstart | seed | times quicker | target |");
        println!("|---|---:|---:|---:|---:|");
        Self { json: Vec::new() }
    }

    /// One row; `target` is in nanoseconds.
    pub(crate) fn row(&mut self, name: &str, ours: Duration, peer: Option<Duration>, target: Option<u64>) {
        let ours = ours.as_nanos();
        let peer = peer.map(|peer| peer.as_nanos());
        let ratio = peer.map(|peer| peer as f64 / ours.max(1) as f64);
        let met = target.map(|target| ours <= u128::from(target));
        let show = |value: Option<String>| value.unwrap_or_default();
        let verdict = met.zip(target).map(|(met, target)| format!("{target} {}", if met { "met" } else { "missed" }));
        println!(
            "| {name} | {ours} | {} | {} | {} |",
            show(peer.map(|peer| peer.to_string())),
            show(ratio.map(|ratio| format!("{ratio:.1}"))),
            show(verdict)
        );
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".into());
        let mut row =
            format!(r#"{{"area":"learn","name":"{name}","ours":{ours},"unit":"ns","peer_name":"seed's rule","#);
        let _ = write!(
            row,
            r#""peer":{},"ratio":{},"target":{},"pass":{}}}"#,
            or_null(peer.map(|peer| peer.to_string())),
            or_null(ratio.map(|ratio| format!("{ratio:.2}"))),
            or_null(target.map(|target| target.to_string())),
            or_null(met.map(|met| met.to_string()))
        );
        self.json.push(row);
    }

    /// Writes the rows to the file that `HEADSTART_BENCH_JSON` names, if it is set.
    pub(crate) fn finish(&self) {
        println!(
            "\nThe seed's own figures, as it published them for 10, 100 and 1,000 assets: 800, 6,000 and 62,000 ns."
        );
        if let Some(path) = std::env::var_os("HEADSTART_BENCH_JSON") {
            let json = format!("[{}]\n", self.json.join(",\n"));
            std::fs::write(&path, json).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        }
    }
}

//! Rows of a benchmark: a Markdown table on standard output, and JSON where asked for.

use std::fmt::Write as _;
use std::time::Duration;

/// Collects rows. Times are of one operation.
pub(crate) struct Table {
    json: Vec<String>,
    notes: Vec<String>,
}

/// One row; of `peer` and `target` what there is.
struct Row<'a> {
    name: &'a str,
    ours: f64,
    unit: &'a str,
    peer: Option<f64>,
    target: Option<f64>,
}

impl Table {
    pub(crate) fn new() -> Self {
        println!("| learn, ns an operation unless a unit is given | headstart | seed | times quicker | target |");
        println!("|---|---:|---:|---:|---:|");
        Self { json: Vec::new(), notes: Vec::new() }
    }

    /// A time; `target` is in nanoseconds.
    pub(crate) fn row(&mut self, name: &str, ours: Duration, peer: Option<Duration>, target: Option<u64>) {
        let nanos = |time: Duration| time.as_nanos() as f64;
        let (peer, target) = (peer.map(nanos), target.map(|target| target as f64));
        self.add(&Row { name, ours: nanos(ours), unit: "ns", peer, target });
    }

    /// Something else, of which less is better.
    pub(crate) fn quantity(&mut self, name: &str, ours: f64, unit: &str, target: Option<f64>) {
        self.add(&Row { name, ours, unit, peer: None, target });
    }

    /// A paragraph under the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Prints the notes, and writes the rows to the file that `HEADSTART_BENCH_JSON`
    /// names, if it is set.
    pub(crate) fn finish(&self) {
        for note in &self.notes {
            println!("\n{note}");
        }
        headstart_benches::rows::write(&format!("[{}]\n", self.json.join(",\n")));
    }

    fn add(&mut self, row: &Row<'_>) {
        let Row { name, ours, unit, peer, target } = *row;
        let ratio = peer.map(|peer| peer / ours.max(1.0));
        let met = target.map(|target| ours <= target);
        let show = |value: Option<String>| value.unwrap_or_default();
        let verdict = met.zip(target).map(|(met, target)| format!("{target} {}", if met { "met" } else { "missed" }));
        let figure = if unit == "ns" { format!("{ours}") } else { format!("{ours:.2} {unit}") };
        println!(
            "| {name} | {figure} | {} | {} | {} |",
            show(peer.map(|peer| peer.to_string())),
            show(ratio.map(|ratio| format!("{ratio:.1}"))),
            show(verdict)
        );
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".into());
        let mut json = format!(r#"{{"area":"learn","name":"{name}","ours":{ours},"unit":"{unit}","#);
        let _ = write!(
            json,
            r#""peer_name":"seed's rule","peer":{},"ratio":{},"target":{},"pass":{}}}"#,
            or_null(peer.map(|peer| peer.to_string())),
            or_null(ratio.map(|ratio| format!("{ratio:.2}"))),
            or_null(target.map(|target| target.to_string())),
            or_null(met.map(|met| met.to_string()))
        );
        self.json.push(json);
    }
}

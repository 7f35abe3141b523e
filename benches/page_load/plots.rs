//! Drawings: the render time against the distance, and the bytes wasted on the second visit.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::case::Visit;
use super::contest::Way;
use super::run::Results;
use super::targets::{H2, LINK, NOTHING, ORACLE, OURS};
use crate::plot::{Labels, Line, svg};
use crate::rows;

/// Round trips, ms.
const DISTANCES: [u32; 3] = [20, 100, 200];

/// Draws what there are figures for, into the directory of the report; returns the names of the files.
pub(crate) fn draw(results: &Results) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut write = |name: &str, text: String| {
        let path = rows::beside(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        files.push(path);
    };
    for rate in [10, 50] {
        let lines = lines(results, rate);
        if lines.iter().any(|line| line.points.len() > 1) {
            let title = if rate == 10 { "A first visit at 10 Mbit/s" } else { "A first visit at 50 Mbit/s" };
            let labels = Labels { title, x: "round trip, ms", y: "drawn and working after, ms" };
            write(
                &format!("page-load-{rate}-mbit.svg"),
                svg(&labels, &DISTANCES.map(|far| (far.into(), far.to_string())), &lines),
            );
        }
    }
    let bars = waste(results);
    if !bars.is_empty() {
        write("page-load-waste.svg", bars_svg("Sent in vain on the second visit, KB", &bars));
    }
    files
}

fn lines(results: &Results, rate: u64) -> Vec<Line> {
    let of = |label, colour, dashed, name: &str, way| {
        let at = |far: u32| Some((far.into(), results.get(Visit::Cold, (far.into(), rate, 0), name, way)?.render));
        Line { name: label, colour, dashed, points: DISTANCES.into_iter().filter_map(at).collect() }
    };
    let lines = vec![
        of("headstart, push", "#c2410c", false, OURS, Way::Push),
        of("headstart, 103", "#1d4ed8", false, OURS, Way::Hints),
        of("headstart, nothing early", "#15803d", false, NOTHING, Way::Plain),
        of("oracle", "black", true, ORACLE, Way::Push),
        of("the h2 crate's order, plain", "#737373", true, H2, Way::Plain),
        of("node, push", "#a16207", true, "node", Way::Push),
    ];
    lines.into_iter().filter(|line| !line.points.is_empty()).collect()
}

/// Bars, the lowest first.
fn waste(results: &Results) -> Vec<(String, f64)> {
    let all = results.of(Visit::Second, LINK).into_iter().filter(|(_, way, _)| *way != Way::Plain);
    let mut bars: Vec<(String, f64)> =
        all.map(|(name, way, summary)| (format!("{name}, {}", way.name()), summary.wasted / 1e3)).collect();
    bars.sort_by(|a, b| a.1.total_cmp(&b.1));
    bars
}

fn bars_svg(title: &str, bars: &[(String, f64)]) -> String {
    const LEFT: f64 = 190.0;
    const WIDTH: f64 = 430.0;
    let most = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    let height = 50 + 26 * bars.len();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 {height}\" width=\"700\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"700\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"16\">{title}</text>\n"
    );
    for (at, (name, value)) in bars.iter().enumerate() {
        let top = 42 + 26 * at;
        let width = value / most * WIDTH;
        let colour = if name.starts_with(OURS) { "#c2410c" } else { "#737373" };
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"18\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{value:.0}</text>",
            LEFT - 8.0,
            top + 14,
            LEFT + width + 6.0,
            top + 14
        );
    }
    text.push_str("</svg>\n");
    text
}

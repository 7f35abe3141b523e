//! A drawing of how pages fare: for each server its ratios to nginx, one dot a page, with median and quartiles.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::contest::OURS;
use super::loads::Results;
use super::summary::{NGINX_PLAIN, Spread, render, servers, words};
use crate::rows;

const WIDTH: f64 = 700.0;
const LEFT: f64 = 215.0;
const RIGHT: f64 = 680.0;
const TOP: f64 = 44.0;
const ROW: f64 = 34.0;

/// Draws it into the directory of the report, if there is anything to draw.
pub(super) fn draw(results: &Results, think: u64) -> Option<PathBuf> {
    let mut all: Vec<(String, Spread)> = servers(results)
        .into_iter()
        .filter_map(|server| Some((words(server), results.spread(think, server, NGINX_PLAIN, render)?)))
        .filter(|(name, _)| name != "nginx")
        .collect();
    if all.is_empty() {
        return None;
    }
    all.sort_by(|(_, a), (_, b)| a.median().total_cmp(&b.median()));
    let path = rows::beside(&format!("pages-{think}-ms.svg"));
    fs::write(&path, svg(&all, think)).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    Some(path)
}

fn svg(all: &[(String, Spread)], think: u64) -> String {
    let most = all.iter().map(|(_, spread)| spread.worst()).fold(1.0, f64::max);
    let steps = (most * 5.0).ceil();
    let x = |ratio: f64| LEFT + ratio * 5.0 / steps * (RIGHT - LEFT);
    let bottom = TOP + ROW * all.len() as f64;
    let height = bottom + 52.0;
    let after = if think == 0 { "the page at once".to_owned() } else { format!("the page after {think} ms") };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"16\">Real pages, cold, {after}: render as a share of nginx's</text>\n"
    );
    for step in 0..=steps as u32 {
        let ratio = f64::from(step) / 5.0;
        let (across, stroke) = (x(ratio), if step == 5 { "#737373" } else { "#ddd" });
        let _ = writeln!(
            text,
            "<path d=\"M{across:.1} {TOP}V{bottom}\" stroke=\"{stroke}\"/>\
             <text x=\"{across:.1}\" y=\"{}\" text-anchor=\"middle\">{ratio}</text>",
            bottom + 18.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">one dot a page; bar: quartiles; line: median</text>",
        f64::midpoint(LEFT, RIGHT),
        bottom + 40.0
    );
    for (at, (name, spread)) in all.iter().enumerate() {
        let middle = TOP + ROW * (at as f64 + 0.5);
        let colour = match name.as_str() {
            "oracle, push" => "black",
            name if name.starts_with(OURS) => "#c2410c",
            _ => "#737373",
        };
        let (low, high) = (x(spread.at(0.25)), x(spread.at(0.75)));
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{low:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" fill=\"{colour}\" opacity=\"0.25\"/>\
             <path d=\"M{:.1} {:.1}v20\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            LEFT - 10.0,
            middle + 4.0,
            middle - 7.0,
            (high - low).max(1.0),
            x(spread.median()),
            middle - 10.0
        );
        for (page, ratio) in spread.ratios.iter().enumerate() {
            let up = middle + [-5.0, 0.0, 5.0][page % 3];
            let _ = writeln!(
                text,
                "<circle cx=\"{:.1}\" cy=\"{up:.1}\" r=\"2.5\" fill=\"{colour}\" opacity=\"0.8\"/>",
                x(*ratio)
            );
        }
    }
    text.push_str("</svg>\n");
    text
}

//! A plot as SVG text: a logarithmic x axis, lines with marks, a legend.

use std::fmt::Write as _;

/// One line of a plot.
#[derive(Debug)]
pub struct Line {
    /// For the legend.
    pub name: &'static str,
    /// A colour by its SVG name or `#rrggbb`.
    pub colour: &'static str,
    /// Whether it is dashed.
    pub dashed: bool,
    /// Abscissa and ordinate; both positive.
    pub points: Vec<(f64, f64)>,
}

/// Names of a plot and of its axes, units included.
#[derive(Debug)]
pub struct Labels {
    /// Above the plot.
    pub title: &'static str,
    /// Of the x axis.
    pub x: &'static str,
    /// Of the y axis.
    pub y: &'static str,
}

const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 680.0;
const BOTTOM: f64 = 345.0;

/// The plot, 700 by 400, with a logarithmic x axis and a y axis that starts at zero, so that a flat line looks flat and a
/// steep one steep. The legend stands above it. `marks` are those of the x axis, from its start to its end, with their labels.
pub fn svg(labels: &Labels, marks: &[(f64, String)], lines: &[Line]) -> String {
    let end = |mark: Option<&(f64, String)>| mark.map_or(0.0, |(value, _)| value.log10());
    let (first, last) = (end(marks.first()), end(marks.last()));
    let top = 58.0 + 20.0 * lines.len().div_ceil(2) as f64;
    let highest = lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(1.0, f64::max);
    let step = round_step(highest / 5.0);
    let steps = (highest / step).ceil();
    let x = |value: f64| {
        let share = (value.log10() - first) / (last - first);
        LEFT + 20.0 + share * (RIGHT - LEFT - 40.0)
    };
    let y = |value: f64| BOTTOM - value / (steps * step) * (BOTTOM - top);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"16\">{}</text>\n",
        labels.title
    );
    for at in 0..=steps as u32 {
        let value = f64::from(at) * step;
        let height = y(value);
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {height:.1}H{RIGHT}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 8.0,
            height + 4.0
        );
    }
    for (value, label) in marks {
        let across = x(*value);
        let _ = writeln!(
            text,
            "<path d=\"M{across:.1} {BOTTOM}v6\" stroke=\"black\"/>\
             <text x=\"{across:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            BOTTOM + 22.0
        );
    }
    let _ = writeln!(
        text,
        "<path d=\"M{LEFT} {top}V{BOTTOM}H{RIGHT}\" fill=\"none\" stroke=\"black\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, RIGHT),
        HEIGHT - 12.0,
        labels.x,
        f64::midpoint(top, BOTTOM),
        labels.y
    );
    for (at, line) in lines.iter().enumerate() {
        draw(&mut text, line, (x, y), (LEFT + 310.0 * (at % 2) as f64, 48.0 + 20.0 * (at / 2) as f64));
    }
    text.push_str("</svg>\n");
    text
}

/// A line, and its entry of the legend at `(left, height)`.
fn draw(
    text: &mut String,
    line: &Line,
    (x, y): (impl Fn(f64) -> f64, impl Fn(f64) -> f64),
    (left, height): (f64, f64),
) {
    let places: Vec<(f64, f64)> = line.points.iter().map(|point| (x(point.0), y(point.1))).collect();
    let path: Vec<String> = places.iter().map(|(across, up)| format!("{across:.1},{up:.1}")).collect();
    let style = format!(
        "stroke=\"{}\" stroke-width=\"2\" fill=\"none\"{}",
        line.colour,
        if line.dashed { " stroke-dasharray=\"6 4\"" } else { "" }
    );
    let _ = writeln!(text, "<polyline points=\"{}\" {style}/>", path.join(" "));
    for (across, up) in places {
        let _ = writeln!(text, "<circle cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"3.5\" fill=\"{}\"/>", line.colour);
    }
    let _ = writeln!(
        text,
        "<path d=\"M{left} {height}h34\" {style}/><text x=\"{}\" y=\"{}\">{}</text>",
        left + 42.0,
        height + 4.0,
        line.name
    );
}

/// One, two or five times a power of ten, not less than `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
}

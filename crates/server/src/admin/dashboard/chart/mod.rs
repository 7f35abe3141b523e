//! Plots as inline SVG. Horizontal places are shares of the width and text has its own size, so that a plot is as readable
//! on a phone as on a wall; colours are classes of the stylesheet.

mod bars;
mod difference;
mod distribution;
mod spark;
mod waterfall;

pub(super) use self::bars::{Scale, Stack, bars};
pub(super) use self::difference::difference;
pub(super) use self::distribution::distribution;
pub(super) use self::spark::{spark, strip};
pub(super) use self::waterfall::{Row, waterfall};

/// Round values from 0 to at least `max`, four to eight of them.
fn ticks(max: f64) -> Vec<f64> {
    if max.is_nan() || max <= 0.0 || max.is_infinite() {
        return vec![0.0, 1.0];
    }
    let rough = max / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough * 0.8);
    let step = step.unwrap_or(power);
    let count = (max / step).ceil() as usize;
    (0..=count).map(|number| number as f64 * step).collect()
}

/// The ticks that are labelled: on a phone there is room for five.
fn labelled(ticks: &[f64]) -> impl Iterator<Item = f64> + '_ {
    ticks.iter().copied().step_by(ticks.len().saturating_sub(1) / 5 + 1)
}

/// The same for bytes, round in the unit that they are written in.
fn byte_ticks(max: f64) -> Vec<f64> {
    let unit = 1024_f64.powf((max.max(1.0).ln() / 1024_f64.ln()).floor());
    ticks(max / unit).into_iter().map(|tick| tick * unit).collect()
}

/// A share of the width, as an attribute.
fn percent(share: f64) -> String {
    format!("{:.3}%", (share * 100.0).clamp(-10.0, 110.0))
}

/// Keeps the text of the outermost labels inside the plot.
fn anchor(share: f64) -> &'static str {
    match share {
        share if share < 0.04 => "start",
        share if share > 0.96 => "end",
        _ => "middle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_end() {
        for max in [0.3, 1.0, 7.0, 9.9, 42.0, 99.0, 1000.0, 123_456.0] {
            let ticks = ticks(max);
            assert!((4..=9).contains(&ticks.len()), "{max}: {ticks:?}");
            assert!(ticks.last().is_some_and(|last| *last >= max), "{max}: {ticks:?}");
        }
        for count in 0..12 {
            let ticks: Vec<f64> = (0..count).map(f64::from).collect();
            assert!(labelled(&ticks).count() <= 5 && labelled(&ticks).next() == ticks.first().copied());
        }
        assert_eq!(byte_ticks(2500.0), [0.0, 512.0, 1024.0, 1536.0, 2048.0, 2560.0]);
        assert_eq!(ticks(0.0), [0.0, 1.0]);
        assert_eq!(ticks(f64::NAN), [0.0, 1.0]);
    }
}

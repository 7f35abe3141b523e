//! The middle of what was timed.

use headstart_gain::Sketch;

/// The median of a sketch, milliseconds.
pub(crate) fn median(sketch: &Sketch) -> Option<f64> {
    sketch.quantile(0.5).map(|seconds| seconds * 1000.0)
}

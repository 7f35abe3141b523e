//! Figures with their targets.

use serde_json::{Value, json};

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) figure: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: f64,
    /// Whether more is better.
    pub(crate) at_least: bool,
}

impl Row {
    pub(crate) fn at_most(case: impl Into<String>, figure: f64, unit: &'static str, target: f64) -> Self {
        Row { case: case.into(), figure, unit, target, at_least: false }
    }

    pub(crate) fn at_least(case: impl Into<String>, figure: f64, unit: &'static str, target: f64) -> Self {
        Row { case: case.into(), figure, unit, target, at_least: true }
    }

    pub(crate) fn is_met(&self) -> bool {
        if self.at_least { self.figure >= self.target } else { self.figure <= self.target }
    }

    pub(crate) fn print_head() {
        println!("| after a change | measured | target | |\n|---|---:|---:|---|");
    }

    pub(crate) fn print(&self) {
        let Row { case, figure, unit, target, at_least } = self;
        let sign = if *at_least { "≥" } else { "≤" };
        let verdict = if self.is_met() { "met" } else { "missed" };
        println!("| {case} | {figure:.3} {unit} | {sign} {target} | {verdict} |");
    }

    pub(crate) fn json(&self) -> Value {
        let Row { case, figure, unit, target, at_least } = self;
        let sign = if *at_least { ">=" } else { "<=" };
        let target = format!("{sign} {target}");
        json!({ "area": "change", "name": case, "ours": figure, "unit": unit, "target": target, "pass": self.is_met() })
    }
}

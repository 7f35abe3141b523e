//! `cargo xtask fleet`: servers that learn as one, through every fault that an engine, a wire, a clock or a directory may
//! have. `cargo xtask test` runs the most important of them.

use crate::{shell, tools};

/// `filter` is a part of the name of those that are wanted.
pub(crate) fn run(filter: Option<&str>) -> Result<(), String> {
    tools::ensure()?;
    let mut all = shell::cargo(["test", "--package", "headstart-server", "--test", "fleet"]);
    all.args(["--", "--all"]).args(filter);
    shell::step("a fleet", &mut all)
}

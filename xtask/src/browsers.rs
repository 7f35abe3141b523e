//! `cargo xtask browsers`: every way of pulling in an asset, in Chromium and Firefox, into `crates/server/BROWSERS.md`.

use crate::{shell, tools};

pub(crate) fn run() -> Result<(), String> {
    tools::ensure()?;
    let all = ["test", "--package", "headstart-server", "--test", "browsers", "--", "--all"];
    shell::step("browsers", &mut shell::cargo(all))
}

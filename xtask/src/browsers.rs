//! `cargo xtask browsers`: every way of pulling in an asset, in Chromium and Firefox, into `crates/server/BROWSERS.md`.

use crate::{shell, tools};

/// `fresh`: without the pages whose assets are asked for again at each use, in half the time.
pub(crate) fn run(fresh: bool) -> Result<(), String> {
    tools::ensure()?;
    let mut all = shell::cargo(["test", "--package", "headstart-server", "--test", "browsers", "--", "--all"]);
    if fresh {
        all.arg("--fresh");
    }
    shell::step("browsers", &mut all)
}

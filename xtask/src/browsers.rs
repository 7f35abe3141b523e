//! `cargo xtask browsers`: every way of pulling in an asset, in Chromium and Firefox, into `crates/server/BROWSERS.md`.

use crate::{shell, tools};

/// What to run.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Without the pages whose assets are asked for again at each use, in half the time.
    fresh: bool,
    /// Parts of the names of ways, with commas between them; the rows of others stay as they are.
    only: Option<String>,
}

impl Options {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--fresh" => options.fresh = true,
                "--only" => options.only = Some(words.next().ok_or("--only takes parts of names")?),
                _ => return Err(format!("unknown: {word}")),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    tools::ensure()?;
    let mut all = shell::cargo(["test", "--package", "headstart-server", "--test", "browsers", "--", "--all"]);
    if options.fresh {
        all.arg("--fresh");
    }
    if let Some(only) = &options.only {
        all.args(["--only", only]);
    }
    shell::step("browsers", &mut all)
}

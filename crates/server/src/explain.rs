//! `headstart explain`: why would this be sent early for a page, and that not?

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use headstart::Headstart;
use headstart::learn::{AssetWeight, Explanation, Verdict};
use indicatif::HumanBytes;

use crate::state::{self, SnapshotFile};

/// Show what is known of a page: the evidence for each asset, and what is decided
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Address of the page, such as <https://example.org/blog/>
    #[arg(value_name = "URL")]
    url: String,

    /// Networks that must have loaded an asset before it is sent early; as the server was told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    min_networks: u32,

    /// Where the snapshot is kept [default: $XDG_STATE_HOME/headstart or ~/.local/state/headstart]
    #[arg(long, value_name = "DIR", env = "HEADSTART_STATE_DIR")]
    state_dir: Option<PathBuf>,

    /// Snapshot to read [default: `snapshot` in the state directory]
    #[arg(long, value_name = "FILE", env = "HEADSTART_STATE")]
    state: Option<PathBuf>,
}

/// The lower bound from which a planned asset is pushed, not only hinted.
const PUSHED_FROM: f32 = 0.4;

/// Runs the command.
///
/// # Errors
///
/// If the snapshot cannot be read, or the address is not one of a page.
pub(crate) fn run(args: Explain) -> anyhow::Result<ExitCode> {
    let (authority, page) = split(&args.url).with_context(|| format!("{} is not the address of a page", args.url))?;
    let path = match args.state {
        Some(path) => path,
        None => state::directory(args.state_dir)?.join("snapshot"),
    };
    let file = SnapshotFile::new(path);
    let Some(bytes) = file.load()? else { bail!("there is no snapshot {}", file.path().display()) };
    let headstart = Headstart::builder()
        .min_networks(args.min_networks)
        .snapshot(bytes)
        .build()
        .with_context(|| format!("cannot use the snapshot {}", file.path().display()))?;
    let explanation = headstart.explain(&authority, page).unwrap_or_default();
    crate::log::say(format_args!("{}", table(&authority, page, &explanation).trim_end()));
    Ok(ExitCode::SUCCESS)
}

/// Authority in lower case, and path without query.
fn split(url: &str) -> Option<(String, &str)> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let page = path.split(['?', '#']).next()?;
    (!authority.is_empty()).then(|| (authority.to_ascii_lowercase(), page))
}

pub(crate) fn table(authority: &str, page: &str, explanation: &Explanation) -> String {
    let mut text = String::new();
    if explanation.levels.is_empty() {
        let _ = writeln!(text, "nothing is known of {page} on {authority}, nor of pages like it");
        return text;
    }
    for level in &explanation.levels {
        let name = format!("{:?}", level.level).to_lowercase();
        let _ = writeln!(text, "{name:<9} N {:>9.2} of {} visits", level.weight, level.visits);
    }
    let _ = writeln!(
        text,
        "\n{:>8} {:>8} {:>8} {:>6} {:>6} {:>8} {:>6} {:>10}  {:<28} asset",
        "h", "m", "n", "p", "LCB", "networks", "order", "size", "decision"
    );
    for asset in &explanation.assets {
        row(&mut text, asset);
    }
    if explanation.hidden > 0 {
        let _ = writeln!(text, "{} more assets have been seen from too few networks to be named", explanation.hidden);
    }
    text
}

fn row(text: &mut String, asset: &AssetWeight) {
    let size = if asset.bytes == 0 { "?".to_owned() } else { HumanBytes(asset.bytes).to_string() };
    let _ = writeln!(
        text,
        "{:>8.2} {:>8.2} {:>8.2} {:>6.3} {:>6.3} {:>8} {:>6.1} {size:>10}  {:<28} {}",
        asset.hits,
        asset.mute,
        asset.effective,
        asset.probability,
        asset.lower_bound,
        asset.networks,
        asset.rank,
        decision(asset),
        asset.path
    );
}

/// What is decided of an asset, and why.
fn decision(asset: &AssetWeight) -> &'static str {
    match asset.verdict {
        Verdict::Planned if asset.lower_bound >= PUSHED_FROM => "push or hint",
        Verdict::Planned => "hint: LCB below 0.4",
        Verdict::BelowThreshold => "nothing: LCB below 0.25",
        Verdict::BeyondLimit => "nothing: the plan is full",
        Verdict::FewNetworks => "nothing: too few networks",
        Verdict::FewVisits => "nothing: too few visits",
        _ => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, expected) in [
            ("https://Example.org/blog/?q=1", Some(("example.org", "/blog/"))),
            ("http://localhost:8443", Some(("localhost:8443", "/"))),
            ("example.org/a#b", Some(("example.org", "/a"))),
            ("https:///x", None),
            ("", None),
        ] {
            let split = split(url);
            assert_eq!(split.as_ref().map(|(authority, page)| (authority.as_str(), *page)), expected, "{url}");
        }
    }
}

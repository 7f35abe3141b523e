//! `headstart explain`: why would this be sent early for a page, and that not?

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use headstart::Headstart;

use crate::explain_table;
use crate::options::SnapshotFlags;

/// Show what is known of a page: the evidence for each asset, and what is decided
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Address of the page, such as <https://example.org/blog/>
    #[arg(value_name = "URL")]
    url: String,

    /// Networks that must have loaded an asset before it is sent early; as the server was told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    min_networks: u32,

    #[command(flatten)]
    snapshot: SnapshotFlags,
}

/// Runs the command.
///
/// # Errors
///
/// If the snapshot cannot be read, or the address is not one of a page.
pub(crate) fn run(args: &Explain) -> anyhow::Result<ExitCode> {
    let (authority, page) = split(&args.url).with_context(|| format!("{} is not the address of a page", args.url))?;
    let file = args.snapshot.file()?;
    let Some(bytes) = file.load()? else { bail!("there is no snapshot {}", file.path().display()) };
    let headstart = Headstart::builder()
        .min_networks(args.min_networks)
        .snapshot(bytes)
        .half_life_of_snapshot()
        .build()
        .with_context(|| format!("cannot use the snapshot {}", file.path().display()))?;
    let explanation = headstart.explain(&authority, page).unwrap_or_default();
    crate::log::say(format_args!("{}", explain_table::table(&authority, page, &explanation).trim_end()));
    Ok(ExitCode::SUCCESS)
}

/// Authority in lower case, and path with query.
fn split(url: &str) -> Option<(String, &str)> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, "/"), |at| rest.split_at(at));
    let path = if path.starts_with('/') { path } else { "/" };
    let page = path.split('#').next()?;
    (!authority.is_empty()).then(|| (authority.to_ascii_lowercase(), page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, expected) in [
            ("https://Example.org/blog/?q=1#top", Some(("example.org", "/blog/?q=1"))),
            ("https://example.org#top", Some(("example.org", "/"))),
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

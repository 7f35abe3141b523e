//! `headstart check`: everything that is wrong with a configuration, before it is used.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::log::{Paint, painted_on_stdout, say};
use crate::options::Options;
use crate::overrides::Given;
use crate::trial;

/// Find every mistake in a configuration, with its line; the exit code is 1 if there is one
///
/// What `serve` would refuse is found: values, files, directories, certificates and addresses are tried, and nothing is
/// changed. A port that is in use is no mistake, for a server may be running on it. The environment and flags count as
/// they would for `serve`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file, as with --config [env: HEADSTART_CONFIG]
    #[arg(value_name = "CONFIG", conflicts_with = "config")]
    file: Option<PathBuf>,

    #[command(flatten)]
    options: Options,
}

/// Runs the command.
///
/// # Errors
///
/// If the system has no thread for it.
pub(crate) fn run(mut args: Check) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    args.options.config = args.file.or(args.options.config);
    let given = Given::of_options(args.options);
    let file = given.file.as_ref().map_or_else(|| "the defaults".to_owned(), |file| file.display().to_string());
    match runtime.block_on(trial::settings(&given)) {
        Ok(settings) => {
            let (listeners, sites) = (settings.listen.len(), settings.sites.len());
            let summary = format!("{}, {}", counted(listeners, "listener"), counted(sites, "site"));
            say(format_args!("{file}: nothing is wrong: {summary}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            for problem in &problems {
                let place = problem.place();
                let separator = if place.is_empty() { "" } else { ": " };
                say(format_args!("{}{separator}{}", painted_on_stdout(&place, Paint::Bold), problem.text()));
            }
            say(format_args!("{}", counted(problems.len(), "mistake")));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn counted(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

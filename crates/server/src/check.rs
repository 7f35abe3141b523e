//! `headstart check`: everything that is wrong with a configuration, before it is used.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::assemble::{Identities, Sites};
use crate::config::Problem;
use crate::log::say;
use crate::overrides::Given;

/// Find every mistake in a configuration file, with its line; the exit code is 1 if there is one
///
/// Values, files and certificates are tried; addresses are not bound, for a server may be running on them. The
/// environment counts as it would for `serve`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file
    #[arg(value_name = "CONFIG", env = "HEADSTART_CONFIG")]
    file: PathBuf,
}

/// Runs the command.
///
/// # Errors
///
/// If the system has no thread for it.
pub(crate) fn run(args: Check) -> anyhow::Result<ExitCode> {
    // Some parts of a server want a runtime around them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let _inside = runtime.enter();
    let file = args.file.display().to_string();
    let problems = problems(&Given::of_file(args.file));
    match problems {
        Ok(summary) => {
            say(format_args!("{file}: nothing is wrong: {summary}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            for problem in &problems {
                say(format_args!("{problem}"));
            }
            say(format_args!("{}", counted(problems.len(), "mistake")));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// All that is wrong, or what is right.
fn problems(given: &Given) -> Result<String, Vec<Problem>> {
    let (settings, mut problems) = given.read();
    if problems.is_empty() || !settings.sites.is_empty() {
        problems.extend(Sites::open(&settings, None).err().unwrap_or_default());
    }
    problems.extend(Identities::named(&settings).err().unwrap_or_default());
    if problems.is_empty() {
        let listeners = counted(settings.listen.len(), "listener");
        return Ok(format!("{listeners}, {}", counted(settings.sites.len(), "site")));
    }
    problems.sort_by_key(Problem::position);
    Err(problems)
}

fn counted(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

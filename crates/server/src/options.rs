//! Flags of every command that serves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::config::setting::{Flag, Row, Takes};
use crate::config::table;
use crate::state::{self, SnapshotFile};

/// Serve a directory, or what the configuration names
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Directory to serve, in place of the sites of the configuration [default: the example site]
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) options: Options,
}

/// Stand in front of an application over HTTPS
#[derive(Debug, Args)]
pub(crate) struct Proxy {
    /// Where the application is, more than once for several servers: `http://`, `https://` or `h2c://`, host and port; in
    /// place of the sites of the configuration
    #[arg(value_name = "URL", required = true)]
    pub(crate) upstreams: Vec<String>,

    #[command(flatten)]
    pub(crate) site: SiteFlags,

    #[command(flatten)]
    pub(crate) options: Options,
}

/// Sources of settings, and the flags that are no settings.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Configuration file [default: ~/.config/headstart/headstart.toml or /etc/headstart/headstart.toml, if there and
    /// nothing to serve is named] [env: HEADSTART_CONFIG]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    pub(crate) no_config: bool,

    /// Any setting of the file, such as `learn.half_life=12h` or `site.symlinks=follow`, more than once if need be
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    #[command(flatten)]
    pub(crate) flags: Flags,
}

/// Values of the flags that the table of settings has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(pub(crate) Vec<Typed>);

/// The same of the flags that concern a site.
#[derive(Clone, Debug, Default)]
pub(crate) struct SiteFlags(pub(crate) Vec<Typed>);

/// A flag that was typed.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// `--window`
    pub(crate) flag: String,
    /// `learn.window`
    pub(crate) path: String,
    pub(crate) value: String,
}

/// The snapshot's file, for commands that do not serve.
#[derive(Clone, Debug, Default)]
pub(crate) struct SnapshotFlags(Vec<Typed>);

impl SnapshotFlags {
    /// The snapshot that the flags name, or else the environment; by default that of the state directory, which is made.
    ///
    /// # Errors
    ///
    /// If there is no state directory.
    pub(crate) fn file(&self) -> anyhow::Result<SnapshotFile> {
        let value = |(row, _): (Row, Flag)| {
            let typed = self.0.iter().find(|typed| typed.path == row.path()).map(|typed| typed.value.clone().into());
            let variables = row.variables().into_iter().filter_map(std::env::var_os).filter(|value| !value.is_empty());
            let value = typed.or_else(|| variables.into_iter().next())?;
            Some((row.key, PathBuf::from(value)))
        };
        let mut named: BTreeMap<&str, PathBuf> = rows(Of::Snapshot).filter_map(value).collect();
        match named.remove("file") {
            Some(file) => Ok(SnapshotFile::new(file)),
            None => Ok(SnapshotFile::new(state::directory(named.remove("dir"))?.join("snapshot"))),
        }
    }
}

/// A selection of rows of the table.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Program,
    Site,
    Snapshot,
}

fn rows(of: Of) -> impl Iterator<Item = (Row, Flag)> {
    let fits = move |row: &Row| match of {
        Of::Program => !row.section.starts_with("site"),
        Of::Site => row.section.starts_with("site"),
        Of::Snapshot => row.section == "state" && matches!(row.key, "dir" | "file"),
    };
    table::rows().filter(fits).filter_map(|row| row.flag.map(|flag| (row, flag)))
}

fn augment(command: Command, of: Of) -> Command {
    rows(of).fold(command, |command, (row, flag)| command.arg(arg(&row, flag)))
}

fn arg(row: &Row, flag: Flag) -> Arg {
    let mut help = row.help.to_owned();
    if let Some(first) = help.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if let (Some(default), false) = (row.default_for_help(), matches!(flag.takes, Takes::Nothing(_))) {
        let _ = write!(help, " [default: {default}]");
    }
    if let Some(variable) = row.variables().first() {
        let _ = write!(help, " [env: {variable}]");
    }
    let arg = Arg::new(flag.name).long(flag.name);
    let arg = if row.details.is_empty() { arg } else { arg.long_help(format!("{help}\n\n{}", row.details)) };
    let arg = arg.help(help);
    match flag.takes {
        Takes::List(name) => arg.value_name(name).action(ArgAction::Append),
        Takes::Nothing(_) => arg.action(ArgAction::SetTrue),
        Takes::Value(name) => arg.value_name(name).allow_hyphen_values(true),
    }
}

fn typed(matches: &ArgMatches, of: Of) -> Vec<Typed> {
    let value = |(row, flag): (Row, Flag)| {
        let value = match flag.takes {
            Takes::List(_) => {
                let values: Vec<_> = matches.get_many::<String>(flag.name)?.map(String::as_str).collect();
                values.join(",")
            }
            Takes::Nothing(value) => matches.get_flag(flag.name).then(|| value.to_owned())?,
            Takes::Value(_) => matches.get_one::<String>(flag.name)?.clone(),
        };
        Some(Typed { flag: format!("--{}", flag.name), path: row.path(), value })
    };
    rows(of).filter_map(value).collect()
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(typed(matches, Of::Program)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        augment(command, Of::Program)
    }

    fn augment_args_for_update(command: Command) -> Command {
        augment(command, Of::Program)
    }
}

impl FromArgMatches for SiteFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(typed(matches, Of::Site)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SiteFlags {
    fn augment_args(command: Command) -> Command {
        augment(command, Of::Site)
    }

    fn augment_args_for_update(command: Command) -> Command {
        augment(command, Of::Site)
    }
}

impl FromArgMatches for SnapshotFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(typed(matches, Of::Snapshot)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SnapshotFlags {
    fn augment_args(command: Command) -> Command {
        augment(command, Of::Snapshot)
    }

    fn augment_args_for_update(command: Command) -> Command {
        augment(command, Of::Snapshot)
    }
}

//! What can be typed after `headstart`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

/// Serves web pages and sends their assets before they are asked for.
///
/// It learns from traffic which assets each page pulls in, keeps in a cookie which of them a client holds, and sends the
/// rest early: as HTTP/2 pushes, as 103 Early Hints, or as Link headers.
///
/// Without a command it is `serve`.
#[derive(Debug, Parser)]
#[command(name = "headstart", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Settings come from flags, over the environment (HEADSTART_LEARN_WINDOW=15 is `window` of `[learn]`), over a file in
TOML (--config FILE or HEADSTART_CONFIG), over defaults that need no file. `headstart check FILE` finds every mistake.";

/// What to do. Nothing named is `serve`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
    Proxy(Proxy),
    Check(crate::check::Check),
    Learn(crate::learn_log::Learn),
    Evaluate(crate::evaluate::Evaluate),
    Explain(crate::explain::Explain),
    State(crate::show_state::Show),
    Digest(crate::digest::Digest),
}

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

    /// What of its responses is answered from memory, as far as the application allows: off, pushes, assets, all
    /// [default: assets]
    #[arg(long, value_name = "WHAT")]
    pub(crate) cache: Option<String>,

    #[command(flatten)]
    pub(crate) options: Options,
}

/// What every command that serves takes. Each is a setting of the file; see `crate::overrides`.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Configuration file [default: ~/.config/headstart/headstart.toml or /etc/headstart/headstart.toml, if there and
    /// nothing to serve is named] [env: HEADSTART_CONFIG]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    pub(crate) no_config: bool,

    /// Any setting of the file, such as `learn.half_life=12h`, more than once if need be
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Address to listen on, more than once if need be; `localhost` is 127.0.0.1 and ::1; `http://` in front is cleartext
    /// [default: localhost:8443] [env: HEADSTART_LISTEN]
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    pub(crate) listen: Vec<String>,

    /// Certificate chain, PEM [default: a self-signed one, made once and kept] [env: HEADSTART_CERT]
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<String>,

    /// Private key of the certificate, PEM [env: HEADSTART_KEY]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<String>,

    /// Where the snapshot and the self-signed certificate are kept [default: $XDG_STATE_HOME/headstart or ~/.local/state/headstart]
    /// [env: HEADSTART_STATE_DIR]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<String>,

    /// Snapshot of what was learned [default: `snapshot` in the state directory] [env: HEADSTART_STATE]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<String>,

    /// Neither read nor write a snapshot: what is learned ends with the program
    #[arg(long, conflicts_with = "state")]
    pub(crate) no_state: bool,

    /// Time between snapshots; a crash loses at most this much [default: 30s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) snapshot_interval: Option<String>,

    /// Time after a page request in which its assets are counted to it [default: 15s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) window: Option<String>,

    /// One page view in N gets nothing early, as evidence of what the page needs by itself; 0 is none [default: 32]
    #[arg(long, value_name = "N")]
    pub(crate) holdout: Option<String>,

    /// Networks that must have loaded a page before anything is sent early for it [default: 1 if only loopback addresses are served, else 3]
    #[arg(long, value_name = "N")]
    pub(crate) min_networks: Option<String>,

    /// Format of the cookie that says what a client holds [default: headstart]
    ///
    /// `headstart` is our own: keyed, bounded, and aware of changed files. `go-casper[:P:N]` is `x-go-casper` as the Go
    /// library writes it after `casper.New(P, N)`, by default 64 and 10. `h2o[:BITS]` is `h2o_casper` as the server H2O
    /// writes it with `capacity-bits`, by default 13. `off` is none: what a client holds is known on its connection only.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) cookie: Option<String>,

    /// Listen there for operators: dashboard, metrics, health; on loopback addresses only, unless there is a token
    /// [env: HEADSTART_ADMIN]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) admin: Option<String>,

    /// What operators have to show: a bearer token, or the password that a browser asks for [env: HEADSTART_ADMIN_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    pub(crate) admin_token: Option<String>,

    /// Name by which browsers may reach the admin listener, besides addresses and localhost; more than once if need be
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) admin_host: Vec<String>,

    /// Write a line for each response to this file; `-` is standard output. SIGHUP opens it anew [env: HEADSTART_ACCESS_LOG]
    #[arg(long, value_name = "FILE")]
    pub(crate) access_log: Option<String>,

    /// Format of the access log: combined or json [default: combined] [env: HEADSTART_ACCESS_LOG_FORMAT]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) access_log_format: Option<String>,

    /// Time that responses under way may take to finish when the program is told to stop [default: 10s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) drain: Option<String>,
}

/// What came of the command line.
#[derive(Debug)]
pub(crate) enum Parsed {
    Command(Box<Command>),
    /// The help or the version was asked for.
    Answer(String),
}

/// Reads the command line.
///
/// # Errors
///
/// One line that names what cannot be used.
pub(crate) fn parse() -> anyhow::Result<Parsed> {
    parse_from(std::env::args_os().collect())
}

fn parse_from(mut words: Vec<std::ffi::OsString>) -> anyhow::Result<Parsed> {
    // Flags without a command are those of `serve`, except the two that the program itself has.
    let of_serve = match words.get(1).and_then(|word| word.to_str()) {
        None => true,
        Some(word) => word.starts_with('-') && !matches!(word, "-h" | "--help" | "-V" | "--version"),
    };
    if of_serve {
        words.insert(1.min(words.len()), "serve".into());
    }
    match Cli::try_parse_from(words) {
        Ok(Cli { command: Some(command) }) => Ok(Parsed::Command(Box::new(command))),
        Ok(Cli { command: None }) => Err(anyhow!("no command given; see `headstart --help`")),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Parsed::Answer(error.render().to_string()))
        }
        Err(error) => Err(anyhow!("{}; see `headstart --help`", one_line(&error.render().to_string()))),
    }
}

/// The message of the parser without its advice: what stands before the first empty line, on one line.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let lines: Vec<_> = message.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn serve(words: &[&str]) -> Serve {
        match parse_from(["headstart"].iter().chain(words).map(Into::into).collect()) {
            Ok(Parsed::Command(command)) => match *command {
                Command::Serve(serve) => serve,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check_error(words: &[&str], names: &str) {
        let error = parse_from(["headstart"].iter().chain(words).map(Into::into).collect()).unwrap_err().to_string();
        assert!(error.contains(names), "{error:?}");
        assert!(!error.contains('\n'), "{error:?}");
    }

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_and_flags_alone_are_serve() {
        assert_eq!(serve(&[]).directory, None);
        assert_eq!(serve(&["--config", "x.toml"]).options.config, Some("x.toml".into()));
        assert_eq!(serve(&["-c", "x.toml"]).options.config, Some("x.toml".into()));
        assert!(matches!(parse_from(vec!["headstart".into(), "--help".into()]), Ok(Parsed::Answer(_))));
        assert!(matches!(parse_from(vec!["headstart".into(), "--version".into()]), Ok(Parsed::Answer(_))));
    }

    #[test]
    fn flags() {
        let args = serve(&["serve", "site", "--holdout", "0", "--window", "-1"]);
        assert_eq!(args.directory.as_deref(), Some("site".as_ref()));
        assert_eq!(args.options.holdout.as_deref(), Some("0"));
        assert_eq!(args.options.window.as_deref(), Some("-1"));
        assert_eq!(serve(&["serve", "--listen", "a:1", "--listen", "b:2,c:3"]).options.listen, ["a:1", "b:2", "c:3"]);
    }

    #[test]
    fn errors_are_one_line_that_names_the_thing() {
        check_error(&["serve", "--frobnicate"], "--frobnicate");
        check_error(&["--frobnicate"], "--frobnicate");
        check_error(&["serve", "--no-state", "--state", "x"], "--state");
        check_error(&["serve", "--no-config", "--config", "x"], "--config");
        check_error(&["serve", "a", "b"], "'b'");
        check_error(&["sreve"], "sreve");
        check_error(&["proxy"], "URL");
    }
}

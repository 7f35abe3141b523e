//! What can be typed after `headstart`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use headstart::CookieFormat;

use crate::proxy::Address;

/// Serves web pages and sends their assets before they are asked for.
///
/// It learns from traffic which assets each page pulls in, keeps in a cookie which of them a client holds, and sends the
/// rest early: as HTTP/2 pushes, as 103 Early Hints, or as Link headers.
#[derive(Debug, Parser)]
#[command(name = "headstart", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do. Nothing named is `serve` of the example site.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Digest(crate::digest::Digest),
    Evaluate(crate::evaluate::Evaluate),
    Explain(crate::explain::Explain),
    Learn(crate::learn_log::Learn),
    Proxy(Proxy),
    Serve(Serve),
}

/// Serve a directory over HTTPS
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Directory to serve [default: the example site]
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) options: Options,
}

/// Stand in front of an application over HTTPS
#[derive(Debug, Args)]
pub(crate) struct Proxy {
    /// Where the application is, more than once for several servers: `http://`, `https://` or `h2c://`, host and port
    #[arg(value_name = "URL", required = true)]
    upstreams: Vec<String>,

    #[command(flatten)]
    pub(crate) options: Options,
}

impl Proxy {
    /// The servers that were named.
    ///
    /// # Errors
    ///
    /// If one is no URL of a server.
    pub(crate) fn upstreams(&self) -> anyhow::Result<Vec<Address>> {
        Ok(self.upstreams.iter().map(|url| url.parse()).collect::<Result<_, _>>()?)
    }
}

/// What every command that serves takes.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Address to listen on, more than once if need be; `localhost` is 127.0.0.1 and ::1
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "localhost:8443",
        env = "HEADSTART_LISTEN",
        value_delimiter = ','
    )]
    pub(crate) listen: Vec<String>,

    /// Certificate chain, PEM [default: a self-signed one, made once and kept]
    #[arg(long, value_name = "FILE", requires = "key", env = "HEADSTART_CERT")]
    pub(crate) cert: Option<PathBuf>,

    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "cert", env = "HEADSTART_KEY")]
    pub(crate) key: Option<PathBuf>,

    /// Where the snapshot and the self-signed certificate are kept [default: $XDG_STATE_HOME/headstart or ~/.local/state/headstart]
    #[arg(long, value_name = "DIR", env = "HEADSTART_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Snapshot of what was learned [default: `snapshot` in the state directory]
    #[arg(long, value_name = "FILE", env = "HEADSTART_STATE")]
    pub(crate) state: Option<PathBuf>,

    /// Neither read nor write a snapshot: what is learned ends with the program
    #[arg(long, conflicts_with = "state")]
    pub(crate) no_state: bool,

    /// Seconds between snapshots; a crash loses at most this much
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = seconds)]
    pub(crate) snapshot_interval: Duration,

    /// Seconds after a page request in which its assets are counted to it
    #[arg(long, value_name = "SECS", default_value = "15", value_parser = seconds)]
    pub(crate) window: Duration,

    /// One page view in N gets nothing early, as evidence of what the page needs by itself; 0 is none
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) holdout: u32,

    /// Networks that must have loaded a page before anything is sent early for it [default: 1 if only loopback addresses are served, else 3]
    #[arg(long, value_name = "N")]
    pub(crate) min_networks: Option<NonZeroU32>,

    /// Format of the cookie that says what a client holds
    ///
    /// `headstart` is our own: keyed, bounded, and aware of changed files. `go-casper[:P:N]` is `x-go-casper` as the Go
    /// library writes it after `casper.New(P, N)`, by default 64 and 10. `h2o[:BITS]` is `h2o_casper` as the server H2O
    /// writes it with `capacity-bits`, by default 13. `off` is none: what a client holds is known on its connection only.
    #[arg(long, value_name = "FORMAT", default_value = "headstart", value_parser = cookie_format)]
    pub(crate) cookie: CookieFormat,

    /// Listen there for operators: dashboard, metrics, health; on loopback addresses only, unless there is a token
    #[arg(long, value_name = "HOST:PORT", env = "HEADSTART_ADMIN")]
    pub(crate) admin: Option<String>,

    /// What operators have to show: a bearer token, or the password that a browser asks for
    #[arg(long, value_name = "TOKEN", requires = "admin", env = "HEADSTART_ADMIN_TOKEN")]
    pub(crate) admin_token: Option<String>,

    /// Name by which browsers may reach the admin listener, besides addresses and localhost; more than once if need be
    #[arg(long, value_name = "HOST", requires = "admin", value_delimiter = ',')]
    pub(crate) admin_host: Vec<String>,

    /// Write a line for each response to this file; `-` is standard output. SIGHUP opens it anew
    #[arg(long, value_name = "FILE", env = "HEADSTART_ACCESS_LOG")]
    pub(crate) access_log: Option<String>,

    /// Format of the access log: combined or json
    #[arg(long, value_name = "FORMAT", default_value = "combined", env = "HEADSTART_ACCESS_LOG_FORMAT")]
    pub(crate) access_log_format: crate::access_log_writer::Format,

    /// Seconds that responses under way may take to finish when the program is told to stop
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = seconds)]
    pub(crate) drain: Duration,
}

/// What came of the command line.
#[derive(Debug)]
pub(crate) enum Parsed {
    Command(Command),
    /// The help or the version was asked for.
    Answer(String),
}

/// Reads the command line and the environment.
///
/// # Errors
///
/// One line that names what cannot be used.
pub(crate) fn parse() -> anyhow::Result<Parsed> {
    parse_from(std::env::args_os().collect())
}

fn parse_from(mut words: Vec<std::ffi::OsString>) -> anyhow::Result<Parsed> {
    if words.len() == 1 {
        words.push("serve".into());
    }
    match Cli::try_parse_from(words) {
        Ok(Cli { command: Some(command) }) => Ok(Parsed::Command(command)),
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

/// From a tenth of a second to a year, in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    const YEAR: f64 = 365.0 * 24.0 * 3600.0;
    match text.parse() {
        Ok(seconds) if (0.1..=YEAR).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("not a number of seconds from 0.1 to 31536000".into()),
    }
}

fn cookie_format(text: &str) -> Result<CookieFormat, String> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text:?} is not a number"));
    match text.split(':').collect::<Vec<_>>()[..] {
        ["headstart"] => Ok(CookieFormat::Headstart),
        ["go-casper"] => Ok(CookieFormat::GoCasper { keys: 10, p: 64 }),
        ["go-casper", p, keys] => Ok(CookieFormat::GoCasper { keys: number(keys)?, p: number(p)? }),
        ["h2o"] => Ok(CookieFormat::H2oCasper { capacity_bits: 13 }),
        ["h2o", bits] => Ok(CookieFormat::H2oCasper { capacity_bits: number(bits)? }),
        ["off"] => Ok(CookieFormat::Off),
        _ => Err("not one of headstart, go-casper[:P:N], h2o[:BITS], off".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn serve(words: &[&str]) -> Serve {
        match parse_from(["headstart"].iter().chain(words).map(Into::into).collect()) {
            Ok(Parsed::Command(Command::Serve(serve))) => serve,
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
    fn nothing_is_serve() {
        let args = serve(&[]);
        assert_eq!(args.directory, None);
        assert_eq!(args.options.listen, ["localhost:8443"]);
        assert_eq!(args.options.window, Duration::from_secs(15));
        assert_eq!(args.options.holdout, 32);
        assert_eq!(args.options.min_networks, None);
        assert_eq!(args.options.cookie, CookieFormat::Headstart);
    }

    #[test]
    fn flags() {
        let args = serve(&["serve", "site", "--holdout", "0", "--cookie", "go-casper", "--snapshot-interval", "0.5"]);
        assert_eq!(args.directory.as_deref(), Some("site".as_ref()));
        assert_eq!(args.options.holdout, 0);
        assert_eq!(args.options.cookie, CookieFormat::GoCasper { keys: 10, p: 64 });
        assert_eq!(
            serve(&["serve", "--cookie", "go-casper:1024:80"]).options.cookie,
            CookieFormat::GoCasper { keys: 80, p: 1024 }
        );
        assert_eq!(
            serve(&["serve", "--cookie", "h2o:12"]).options.cookie,
            CookieFormat::H2oCasper { capacity_bits: 12 }
        );
        assert_eq!(args.options.snapshot_interval, Duration::from_millis(500));
        assert_eq!(serve(&["serve", "--listen", "a:1", "--listen", "b:2"]).options.listen, ["a:1", "b:2"]);
    }

    #[test]
    fn errors_are_one_line_that_names_the_thing() {
        check_error(&["serve", "--frobnicate"], "--frobnicate");
        check_error(&["serve", "--window", "soon"], "soon");
        check_error(&["serve", "--window", "-1"], "-1");
        check_error(&["serve", "--window", "NaN"], "NaN");
        check_error(&["serve", "--min-networks", "0"], "--min-networks");
        check_error(&["serve", "--cert", "a.pem"], "--key");
        check_error(&["serve", "--no-state", "--state", "x"], "--state");
        check_error(&["serve", "a", "b"], "'b'");
        check_error(&["serve", "--cookie", "go-casper:x:1"], "\"x\"");
        check_error(&["sreve"], "sreve");
        check_error(&["proxy"], "URL");
    }
}

//! The command line of `headstart`.

use anyhow::{Context as _, anyhow};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::options::{Proxy, Serve};

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

/// The command. `serve` if none is named.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
    Proxy(Proxy),
    Check(crate::check::Check),
    Learn(crate::learn_log::Learn),
    Evaluate(crate::evaluate::Evaluate),
    Explain(crate::explain::Explain),
    Gain(crate::gain::Show),
    State(crate::show_state::Show),
    Fleet(crate::fleet_command::Command),
    Digest(crate::digest::Digest),
    /// Print a configuration file that has every setting, at its default or as a comment
    Settings,
    /// Print a script that completes commands and flags in a shell
    Completions {
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Write manual pages, one for each command
    Man {
        /// The directory that they are written to
        #[arg(value_name = "DIR")]
        directory: std::path::PathBuf,
    },
}

/// Prints the script that completes commands and flags in a shell.
pub(crate) fn print_completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "headstart", &mut script);
    crate::log::say(format_args!("{}", String::from_utf8_lossy(&script).trim_end()));
}

/// Writes the manual pages.
///
/// # Errors
///
/// If they cannot be written.
pub(crate) fn write_manual(directory: &std::path::Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write manual pages to {}", directory.display());
    clap_mangen::generate_to(Cli::command(), directory).with_context(cannot)
}

/// The result of reading the command line.
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
    let first = words.get(1).map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    match Cli::try_parse_from(words) {
        Ok(Cli { command: Some(command) }) => Ok(Parsed::Command(Box::new(command))),
        Ok(Cli { command: None }) => Err(anyhow!("no command given; see `headstart --help`")),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Parsed::Answer(error.render().to_string()))
        }
        Err(error) => {
            let meant = match error.kind() {
                ErrorKind::InvalidSubcommand => command_of(&first),
                _ => None,
            };
            let problem = match meant {
                Some(command) => format!("{first:?} is no command; try `headstart {command} {first}`"),
                None => one_line(&error.render().to_string()),
            };
            Err(anyhow!("{problem}; see `headstart --help`"))
        }
    }
}

/// The command for a word that stands where a command should: the URL of an application, or a path.
fn command_of(word: &str) -> Option<&'static str> {
    if word.contains("://") {
        return Some("proxy");
    }
    (word.contains(['/', '.', '\\']) || std::path::Path::new(word).is_dir()).then_some("serve")
}

/// The message of the parser on one line: what stands before the first empty line, and its tips.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let lines: Vec<_> = message.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let tips = message.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    tips.fold(lines.join(" "), |line, tip| format!("{line}; {tip}"))
}

#[cfg(test)]
mod tests {
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
        let typed = |words: &[&str]| -> Vec<String> {
            let flags = serve(words).options.flags.0.into_iter();
            flags.map(|typed| format!("{} {}={}", typed.flag, typed.path, typed.value)).collect()
        };
        let words = ["serve", "site", "--holdout", "0", "--window", "-1", "--no-state"];
        assert_eq!(serve(&words).directory.as_deref(), Some("site".as_ref()));
        assert_eq!(
            typed(&words),
            ["--window learn.window=-1", "--holdout learn.holdout=0", "--no-state state.save=false"]
        );
        let words = ["serve", "--listen", "a:1", "--listen", "b:2,c:3"];
        assert_eq!(typed(&words), ["--listen listen=a:1,b:2,c:3"]);
    }

    #[test]
    fn the_help_of_a_flag_is_its_row() {
        let Ok(Parsed::Answer(help)) = parse_from(["headstart", "serve", "-h"].map(Into::into).into()) else {
            panic!()
        };
        for part in [
            "--window <TIME>",
            "Time after a page request in which its assets are counted to it [default: 15s]",
            "[env: HEADSTART_LEARN_WINDOW]",
            "[default: 1 if every client is local",
            "--no-state",
        ] {
            assert!(help.contains(part), "{part}\n{help}");
        }
        assert!(!help.contains("--cache"), "that is of `proxy`");
    }

    #[test]
    fn errors_are_one_line_that_names_the_thing() {
        check_error(&["serve", "--frobnicate"], "--frobnicate");
        check_error(&["--frobnicate"], "--frobnicate");
        check_error(&["serve", "--no-config", "--config", "x"], "--config");
        check_error(&["serve", "a", "b"], "'b'");
        check_error(&["sreve"], "; a similar subcommand exists: 'serve'; see");
        check_error(&["serve", "--windw", "3"], "'--windw' found; a similar argument exists: '--window'; see");
        check_error(&["proxy"], "URL");
        check_error(&["./site"], "\"./site\" is no command; try `headstart serve ./site`; see");
        check_error(&["http://127.0.0.1:3000"], "try `headstart proxy http://127.0.0.1:3000`; see");
    }
}

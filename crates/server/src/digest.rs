//! `headstart digest`: writes, reads and asks the cookies and headers that say what a client holds.

mod format;
mod json;

use std::io::{self, BufRead as _, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use format::{Format, Parameters};

/// Write, read and question the cookies and headers that say what a client holds
#[derive(Debug, Args)]
pub(crate) struct Digest {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Read keys from standard input, one a line, and print the digest of them
    ///
    /// It is text for a cookie or a header: base64url, or hexadecimal digits for bip158 and kazuho-00, which are binary.
    Encode(Common),
    /// Print the values in a digest, ascending, one a line
    Decode(Question),
    /// Read keys from standard input, one a line, and print for each whether a digest holds it: `held` or `absent`
    Check(Question),
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    parameters: Parameters,

    /// Read one JSON object a line, with the names of these flags and `keys` and `value`, and answer with one a line
    ///
    /// What a line leaves out, the flags say. The answers are {"value": TEXT}, {"values": [NUMBER, ...]}, {"held": [BOOLEAN, ...]} and
    /// {"error": TEXT}. The exit code is 2 if a line was no request; a digest that does not decode is an answer.
    #[arg(long)]
    jsonl: bool,
}

#[derive(Debug, Args)]
struct Question {
    #[command(flatten)]
    common: Common,

    /// The cookie or header value
    #[arg(required_unless_present = "jsonl", conflicts_with = "jsonl", allow_hyphen_values = true)]
    value: Option<String>,
}

/// The operation on a digest.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Check,
    Decode,
    Encode,
}

/// # Errors
///
/// A flag, a line of input or a value that cannot be used.
pub(crate) fn run(args: Digest) -> anyhow::Result<ExitCode> {
    let (verb, common, value) = match args.task {
        Task::Encode(common) => (Verb::Encode, common, None),
        Task::Decode(Question { common, value }) => (Verb::Decode, common, value),
        Task::Check(Question { common, value }) => (Verb::Check, common, value),
    };
    let mut output = BufWriter::new(io::stdout().lock());
    let done = if common.jsonl {
        json::answer_lines(verb, &common.parameters, io::stdin().lock(), &mut output)
    } else {
        answer(verb, &common.parameters, value.as_deref(), &mut output)
    };
    let done = done.and_then(|code| output.flush().map(|()| code).map_err(Into::into));
    match done {
        // A reader that went away has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        done => done,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn answer(
    verb: Verb,
    parameters: &Parameters,
    value: Option<&str>,
    output: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let format = Format::new(parameters)?;
    let value = value.unwrap_or_default();
    match verb {
        Verb::Encode => writeln!(output, "{}", format.encode(&keys_of_input(&format)?)?)?,
        Verb::Decode => {
            for value in format.decode(value)? {
                writeln!(output, "{value}")?;
            }
        }
        Verb::Check => {
            for held in format.check(value, &keys_of_input(&format)?)? {
                writeln!(output, "{}", if held { "held" } else { "absent" })?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The lines of standard input, without the ends of lines. An empty one is not a key.
fn keys_of_input(format: &Format) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut keys = vec![];
    for (line, number) in io::stdin().lock().split(b'\n').zip(1..) {
        let line = line.context("cannot read standard input")?;
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if !line.is_empty() {
            keys.push(format.key(line).with_context(|| format!("line {number} of standard input"))?);
        }
    }
    Ok(keys)
}

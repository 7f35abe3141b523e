//! Lines for people: on standard output what happens, on standard error what is wrong.

use std::borrow::Cow;
use std::fmt::{Arguments, Write as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::printable::printable;
use crate::throttle::Throttle;

/// How lines about the program itself are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    #[default]
    Human,
    Json,
}

/// How lines are written; set once, by [`start`].
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Writes one line to standard output. A reader that went away (`headstart | head -1`) is not an error.
pub(crate) fn say(line: Arguments<'_>) {
    let mut text = String::new();
    add_line(&mut text, line);
    print(&text);
}

/// As [`say`] writes it.
fn add_line(text: &mut String, line: Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = if is_json() { writeln!(text, "{}", json("INFO", line)) } else { writeln!(text, "{line}") };
}

fn print(lines: &str) {
    let _ = io::stdout().lock().write_all(lines.as_bytes());
}

/// Writes one line to standard error, after the name of the program.
pub(crate) fn complain(line: Arguments<'_>) {
    let mut out = io::stderr().lock();
    let name = painted("headstart:", Paint::Red, out.is_terminal());
    let _ = if is_json() { writeln!(out, "{}", json("ERROR", line)) } else { writeln!(out, "{name} {line}") };
}

/// How a part of a line stands out on a terminal.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    Bold,
    Red,
}

/// The text as it is shown on standard output.
pub(crate) fn painted_on_stdout(text: &str, paint: Paint) -> Cow<'_, str> {
    painted(text, paint, io::stdout().is_terminal())
}

/// With colours on a terminal that has them, unless `NO_COLOR` is set (<https://no-color.org>).
fn painted(text: &str, paint: Paint, on_terminal: bool) -> Cow<'_, str> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if !on_terminal || text.is_empty() || set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb") {
        return text.into();
    }
    let code = match paint {
        Paint::Bold => "1",
        Paint::Red => "1;31",
    };
    format!("\x1b[{code}m{text}\x1b[0m").into()
}

fn is_json() -> bool {
    FORMAT.get() == Some(&LogFormat::Json)
}

/// In the shape that the libraries' events have.
fn json(level: &str, line: Arguments<'_>) -> serde_json::Value {
    let mut time = String::new();
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    serde_json::json!({ "timestamp": time, "level": level, "fields": { "message": line.to_string() }, "target": "headstart" })
}

/// Chooses how lines are written, and has what the libraries have to say written to standard error, a few of a kind at a
/// time ([`Throttle`]).
///
/// # Errors
///
/// If the filter cannot be understood.
pub(crate) fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let _ = FORMAT.set(format);
    let filter = EnvFilter::try_new(filter).with_context(|| format!("cannot use the filter {filter:?} of the log"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Human => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines.with_filter(Throttle::new(complain))).init();
    Ok(())
}

/// Lines waiting to be written, at most; each holds a few hundred bytes.
const WAITING: usize = 4096;

/// How long lines gather, so that the thread is woken and standard output written to fifty times a second at most, and
/// not for each page view.
const GATHER: Duration = Duration::from_millis(20);

/// Writes lines to standard output from a thread of its own, so that a slow reader never holds up a response.
///
/// When [`WAITING`] lines wait, further ones are lost, and a line says how many.
#[derive(Clone)]
pub(crate) struct Log {
    entries: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

enum Entry {
    Line(String),
    /// Everything before it has been written when the sender is dropped.
    Mark {
        _reached: oneshot::Sender<()>,
    },
}

impl Log {
    pub(crate) fn start() -> Self {
        let (entries, waiting) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let lost_here = Arc::clone(&lost);
        std::thread::spawn(move || {
            let (mut text, mut marks) = (String::new(), Vec::new());
            while let Ok(first) = waiting.recv() {
                std::thread::sleep(GATHER);
                for entry in std::iter::once(first).chain(waiting.try_iter().take(WAITING)) {
                    match entry {
                        Entry::Line(line) => add_line(&mut text, format_args!("{}", printable(&line))),
                        mark @ Entry::Mark { .. } => marks.push(mark),
                    }
                }
                let lost = lost_here.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    add_line(&mut text, format_args!("({lost} lines lost: the reader of this log is too slow)"));
                }
                print(&text);
                text.clear();
                marks.clear();
            }
        });
        Self { entries, lost }
    }

    /// Writes a line, soon. What comes from clients may be in it: control characters are shown, not sent to the terminal.
    pub(crate) fn line(&self, line: String) {
        if let Err(TrySendError::Full(_)) = self.entries.try_send(Entry::Line(line)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until the lines so far are written, or for a second: the reader may never come back.
    pub(crate) async fn finish(&self) {
        let (reached, written) = oneshot::channel();
        if self.entries.try_send(Entry::Mark { _reached: reached }).is_ok() {
            let _ = timeout(Duration::from_secs(1), written).await;
        }
    }
}

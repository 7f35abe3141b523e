//! Cases of push: a site that pushes, what a client does, and all that is then on the wire.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use headstart_h2::Config;
use tokio::net::TcpStream;

use super::case::Step;
use super::check::{Client, Summary, step_of, wait};
use crate::server::{Running, Script};
use testkit::frames::{self, END, GOAWAY, HEADERS, PING, RST_STREAM};

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct PushCase {
    pub(crate) section: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) script: Script,
    pub(crate) settings: Vec<(u16, u32)>,
    pub(crate) steps: Vec<Step>,
    /// Whether the server is told to stop after the steps.
    pub(crate) stops: bool,
    /// What was heard in the end, see [`heard`].
    pub(crate) heard: &'static str,
    /// Lines of the log, each of which is there once.
    pub(crate) noted: &'static [&'static str],
}

/// A case; its steps begin on a fresh connection.
pub(crate) fn push(section: &'static str, rule: &'static str, script: Script, heard: &'static str) -> PushCase {
    PushCase { section, rule, script, settings: Vec::new(), steps: Vec::new(), stops: false, heard, noted: &[] }
}

impl PushCase {
    pub(crate) fn settings(mut self, entries: &[(u16, u32)]) -> Self {
        self.settings = entries.to_vec();
        self
    }

    pub(crate) fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        self.script = self.script.config(change);
        self
    }

    pub(crate) fn send(mut self, frames: &[Vec<u8>]) -> Self {
        self.steps.push(Step::Send(frames.concat()));
        self
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(crate) fn shut_down(mut self) -> Self {
        self.stops = true;
        self
    }

    pub(crate) fn noted(mut self, lines: &'static [&'static str]) -> Self {
        self.noted = lines;
        self
    }
}

/// Runs all and prints a line a section; panics if one case failed or there are fewer than `least`.
pub(crate) async fn check(cases: Vec<PushCase>, least: usize) {
    let tasks: Vec<_> = cases.into_iter().map(|case| (case.section, case.rule, tokio::spawn(run(case)))).collect();
    let mut summary = Summary::default();
    for (section, rule, task) in tasks {
        let result = task.await.unwrap_or_else(|panic| Err(panic.to_string()));
        summary.note(section, rule, false, result);
    }
    summary.finish("RFC 9113, server push", least);
}

async fn run(case: PushCase) -> Result<(), String> {
    let mut server = case.script.start_tcp(&case.settings).await;
    for step in &case.steps {
        step_of(&mut server.peer, step).await?;
    }
    if case.stops {
        server.shut_down().await;
    }
    let began = Instant::now();
    while heard(&server.peer) != case.heard && began.elapsed() < PATIENCE && !server.peer.closed {
        server.peer.next().await;
    }
    settle(&mut server).await?;
    let found = heard(&server.peer);
    if found != case.heard {
        return Err(format!("heard {found:?}, not {:?}", case.heard));
    }
    server.peer.assert_lawful();
    // Panics where the server's task did, and where an exchange or a promise was not told of once.
    let (_, log) = server.hang_up().await;
    case.noted.iter().try_for_each(|line| match log.count(line) {
        1 => Ok(()),
        count => Err(format!("{line:?} is there {count} times in {:#?}", log.lines())),
    })
}

/// Two PINGs: what was under way when the first came is out before the second is answered.
async fn settle(server: &mut Running<TcpStream>) -> Result<(), String> {
    for sign in [b"anything", b"to add??"] {
        server.peer.try_send(frames::frame(PING, 0, 0, sign)).await;
        let answered = |peer: &Client| {
            peer.closed || peer.heard.iter().any(|f| f.kind == PING && f.flags & END != 0 && f.payload == sign)
        };
        wait(&mut server.peer, answered).await?;
    }
    Ok(())
}

/// The promises in order as `parent>promised`, then for each stream that was heard of its status, bytes and end:
/// `.` for END_STREAM, `!code` for RST_STREAM; and GOAWAY with an error, if there was one.
fn heard(peer: &Client) -> String {
    let promises = peer.heard.iter().filter(|frame| frame.kind == frames::PUSH_PROMISE);
    let mut words: Vec<String> = promises.map(|frame| format!("{}>{}", frame.stream, frame.word(0))).collect();
    let mut streams: Vec<u32> = peer.heard.iter().map(|frame| frame.stream).filter(|stream| *stream > 0).collect();
    streams.sort_unstable();
    streams.dedup();
    for stream in streams {
        let on = |kind| peer.heard.iter().filter(move |frame| frame.stream == stream && frame.kind == kind);
        let mut word = stream.to_string();
        if let Some(status) = on(HEADERS).find_map(frames::Frame::status) {
            let _ = write!(word, ":{status}");
        }
        if peer.bytes(stream) > 0 {
            let _ = write!(word, "+{}", peer.bytes(stream));
        }
        if peer.ended(stream) {
            word.push('.');
        }
        for reset in on(RST_STREAM) {
            let _ = write!(word, "!{}", reset.word(0));
        }
        if word.len() > stream.to_string().len() {
            words.push(word);
        }
    }
    let errors = peer.heard.iter().filter(|frame| frame.kind == GOAWAY && frame.word(4) != 0);
    words.extend(errors.map(|frame| format!("GOAWAY {}", frame.word(4))));
    words.join(" ")
}

//! Runs cases, each on a connection of its own, and says by section how many held.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

use super::block::NO_ERROR;
use super::case::{Answer, Case, Step};
use crate::server::Script;
use testkit::Peer;
use testkit::frames::{self, Frame, GOAWAY, HEADERS, PING, RST_STREAM};

/// How long an answer may take; no case that holds waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The stream of the request that shows that the connection serves on.
const PROBE: u32 = 0x0fff_ffff;

pub(crate) type Client = Peer<TcpStream>;

/// Runs all and prints a line a section; panics if one case failed or there are fewer than `least`.
pub(crate) async fn all(title: &str, cases: Vec<Case>, least: usize) {
    let tasks: Vec<_> = cases.into_iter().map(|case| (case.clone(), tokio::spawn(run(case)))).collect();
    let mut summary = Summary::default();
    for (case, task) in tasks {
        let mut result = task.await.unwrap_or_else(|panic| Err(panic.to_string()));
        // `h2` forgets a stream that it has reset after a second, and answers as RFC 9113 asks from then on. On a busy machine
        // a case takes that long among all others, so it is tried again alone.
        for _ in 0..3 {
            if result.is_err() && case.deviation.is_some() {
                result = run(case.clone()).await;
            }
        }
        summary.note(case.section, &case.rule, case.deviation.is_some(), result);
    }
    summary.finish(title, least);
}

/// Counts of the cases, by outcome.
#[derive(Default)]
pub(crate) struct Summary {
    /// For each section: cases, failures, known deviations.
    sections: BTreeMap<&'static str, [usize; 3]>,
    failures: Vec<String>,
}

impl Summary {
    pub(crate) fn note(&mut self, section: &'static str, rule: &str, deviates: bool, result: Result<(), String>) {
        let counts = self.sections.entry(section).or_default();
        counts[0] += 1;
        counts[2] += usize::from(deviates);
        if let Err(error) = result {
            counts[1] += 1;
            self.failures.push(format!("{section}, {rule}: {error}"));
        }
    }

    /// Written past the test runner, which would keep it for itself.
    pub(crate) fn finish(self, title: &str, least: usize) {
        let mut lines = format!("{title}\n");
        let mut total = [0; 3];
        for (section, counts) in &self.sections {
            lines += &line(section, counts);
            total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        lines += &line("all", &total);
        std::io::stderr().write_all(lines.as_bytes()).unwrap();
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        assert!(total[0] >= least, "{} cases", total[0]);
    }
}

fn line(section: &str, [cases, failed, deviations]: &[usize; 3]) -> String {
    let held = cases - failed;
    let known = if *deviations > 0 { format!(", {deviations} as known deviations of h2") } else { String::new() };
    format!("  {section:<24} {held:>3} of {cases:>3} hold{known}\n")
}

async fn run(case: Case) -> Result<(), String> {
    let mut peer = connect(&case).await;
    let mut mark = 0;
    for step in &case.steps {
        mark = peer.heard.len();
        step_of(&mut peer, step).await?;
    }
    let answer = observe(&mut peer, &case, mark).await?;
    case.judge(answer)?;
    if let Some(bytes) = case.bytes {
        wait(&mut peer, |peer| peer.bytes(case.stream) >= bytes).await?;
        let heard = peer.bytes(case.stream);
        if heard != bytes {
            return Err(format!("{heard} bytes of DATA instead of {bytes}"));
        }
    }
    peer.assert_lawful();
    Ok(())
}

async fn connect(case: &Case) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (ours, _) = listener.accept().await.unwrap();
    ours.set_nodelay(true).unwrap();
    theirs.set_nodelay(true).unwrap();
    let connection = Script::new().config(|config| *config = case.config.clone()).connection(ours);
    tokio::spawn(connection);
    let mut peer = Peer::new(theirs).patient(Duration::from_millis(20));
    if case.greets {
        peer.greet(&case.settings).await;
    }
    peer
}

pub(crate) async fn step_of(peer: &mut Client, step: &Step) -> Result<(), String> {
    match *step {
        Step::Send(ref bytes) => {
            peer.try_send(bytes).await;
            Ok(())
        }
        Step::Over(stream) => wait(peer, |peer| is_over(peer, stream)).await,
        Step::Head(stream) => {
            wait(peer, |peer| peer.heard.iter().any(|f| f.kind == HEADERS && f.stream == stream)).await
        }
        Step::Pause => {
            let sign = (peer.heard.len() as u64).to_be_bytes();
            peer.try_send(frames::frame(PING, 0, 0, &sign)).await;
            wait(peer, |peer| peer.heard.iter().any(|f| f.kind == PING && f.payload == sign)).await
        }
        Step::Bytes(stream, bytes) => wait(peer, |peer| peer.bytes(stream) >= bytes).await,
    }
}

pub(crate) fn is_over(peer: &Client, stream: u32) -> bool {
    peer.ended(stream) || !peer.resets(stream).is_empty()
}

/// Reads until something holds; an error if the server is gone before or takes too long.
pub(crate) async fn wait(peer: &mut Client, holds: impl Fn(&Client) -> bool) -> Result<(), String> {
    let began = Instant::now();
    while !holds(peer) {
        if peer.closed || began.elapsed() > PATIENCE {
            return Err(format!("what was waited for did not come; heard {}", told(&peer.heard)));
        }
        peer.next().await;
    }
    Ok(())
}

/// The kind of answer to what was sent last.
async fn observe(peer: &mut Client, case: &Case, mark: usize) -> Result<Answer, String> {
    // Twice: an answer that was made beside the first acknowledgement is out before the second.
    for sign in [b"was that", b"allowed?"] {
        peer.try_send(frames::frame(PING, 0, 0, sign)).await;
        wait(peer, |peer| is_gone(peer) || peer.heard.iter().any(|f| f.kind == PING && f.payload == sign)).await?;
    }
    if case.waits_for_stream() && !peer.closed {
        wait(peer, |peer| is_gone(peer) || on_stream(&peer.heard[mark..], case.stream).is_some()).await?;
    }
    if !is_gone(peer) && case.probes {
        peer.try_send(frames::get(PROBE, "/bytes/1")).await;
        wait(peer, |peer| is_gone(peer) || peer.ended(PROBE) || !peer.resets(PROBE).is_empty()).await?;
        if !is_gone(peer) && !peer.resets(PROBE).is_empty() {
            return Err("the connection does not serve on".into());
        }
    }
    let code = goaway(peer);
    if code.is_some() {
        // An endpoint that gives up closes (RFC 9113, section 5.4.1).
        wait(peer, |peer| peer.closed).await?;
    }
    let silence = if peer.closed { Answer::Closed } else { Answer::Ignored };
    let on_stream = || on_stream(&peer.heard[mark..], case.stream).unwrap_or(silence);
    Ok(code.map_or_else(on_stream, Answer::Connection))
}

/// The code of a GOAWAY that is an error; one without says that the server follows the client's.
fn goaway(peer: &Client) -> Option<u32> {
    peer.heard.iter().find(|frame| frame.kind == GOAWAY && frame.word(4) != NO_ERROR).map(|frame| frame.word(4))
}

fn is_gone(peer: &Client) -> bool {
    peer.closed || goaway(peer).is_some()
}

/// What was said on a stream: a reset rather than a response.
fn on_stream(heard: &[Frame], stream: u32) -> Option<Answer> {
    let on = |kind| heard.iter().find(move |frame| frame.kind == kind && frame.stream == stream);
    match (on(RST_STREAM), on(HEADERS)) {
        (Some(reset), _) => Some(Answer::Stream(reset.word(0))),
        (None, Some(response)) => response.status().map(Answer::Status),
        (None, None) => None,
    }
}

pub(crate) fn told(heard: &[Frame]) -> String {
    let words: Vec<String> = heard.iter().map(Frame::to_string).collect();
    words.join(", ")
}

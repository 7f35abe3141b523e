//! The attacks of `cargo xtask bench attacks` in brief, on the build that is being tested: seconds each and several at a
//! time. What is asserted needs no quiet machine: the server lives, the honest client beside the attacker is answered
//! without a failure, floods are ended, and memory grows no further than a generous bound. How fast all this is, the
//! benchmark says. The control comes first here, too: a careless server that has to fail.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::peers::{Certificate, HEADSTART_LEARNING_SOON, Peer, Program, Setup};

use super::control::CARELESS;
use super::modes::{Ends, Mode};
use super::trial::Trial;
use super::verdict::Check;
use super::{control, modes, site, trial, verdict};

const OURS: Peer = Peer { program: Program::HeadstartBeside, ..HEADSTART_LEARNING_SOON };

/// How long each attack lasts.
const LASTING: Duration = Duration::from_secs(2);
/// A debug build, and a machine that has other things to do.
const MAX_GROWTH: u64 = 48 << 20;
/// At once, so that it takes no longer than it has to: most of a trial is waiting.
const AT_ONCE: usize = 4;

/// One of each kind, and those that once took the most memory.
const NAMES: [&str; 22] = [
    "rapid reset",
    "reset once answered",
    "MadeYouReset by window overflow",
    "MadeYouReset by malformed heads",
    "PING flood, unread",
    "SETTINGS flood",
    "PRIORITY_UPDATE flood",
    "empty DATA flood",
    "CONTINUATION flood, empty",
    "HPACK bomb of 64 KB",
    "SETTINGS window churn",
    "window dribble",
    "window dribble, streamed files",
    "large files, never read",
    "streamed files, never read",
    "large files, no window",
    "PINGs instead of window",
    "pushes, never read",
    "1,125 downloads of a streamed file, no window",
    "1,125 downloads of an HTTP/1.1 upstream, no window",
    "1,125 downloads of an HTTP/2 upstream, no window",
    "1,200 uploads in drops to an HTTP/1.1 upstream",
];

/// Floods that are ended as soon as they are known for one, long before the time is up.
const ENDED: [&str; 5] =
    ["rapid reset", "SETTINGS flood", "PRIORITY_UPDATE flood", "empty DATA flood", "CONTINUATION flood, empty"];

/// Runs some attacks of each kind in brief: a test without a harness.
///
/// # Panics
///
/// If the server does not hold, or a check of the control sees nothing.
pub fn brief() {
    control::become_careless();
    // What `cargo test` is given for the tests of all crates; a word is a part of a name.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |mode: &Mode| words.iter().all(|word| mode.name.contains(word.as_str()));
    let ours = modes::all().into_iter().filter(|mode| NAMES.contains(&mode.name)).filter(wanted);
    let ours: Vec<_> = ours.map(|mode| (mode, OURS, None)).collect();
    assert!(!words.is_empty() || ours.len() == NAMES.len(), "a name is misspelt");
    let controls = control::modes().into_iter().filter(|(mode, check)| wanted(mode) && *check != Check::P99);
    let controls: Vec<_> = controls.map(|(mode, check)| (mode, CARELESS, Some(check))).collect();

    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().join("site");
    std::fs::create_dir(&root).and_then(|()| site::write(&root)).expect("a site");
    let certificate = Certificate::make(directory.path()).expect("a certificate");
    let tls = certificate.trusted();
    let setup = Setup::new(&root, &certificate);

    verdict::print_head();
    let trials: Vec<_> = controls.into_iter().chain(ours).collect();
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((mode, peer, control)) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let trial = trial::run(&setup, peer, &tls, mode, LASTING);
                    verdict::print(mode, &trial, &verdict::judge(mode, &trial));
                    let found = check(mode, &trial, *control);
                    faults.lock().expect("no panic under the lock").extend(found);
                }
            });
        }
    });
    let faults = faults.into_inner().expect("no panic under the lock");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The faults found; or that none was, with the careless server, whose fault has to be found.
fn check(mode: &Mode, trial: &Trial, control: Option<Check>) -> Vec<String> {
    let mut wrong: Vec<(Check, String)> = Vec::new();
    let findings = verdict::judge(mode, trial);
    for finding in findings.iter().filter(|finding| !finding.holds) {
        // Figures of time and memory are the benchmark's, on a quiet machine.
        if !matches!(finding.check, Check::P99 | Check::Memory) {
            wrong.push((finding.check, format!("{:?}: {}", finding.check, verdict::notes(mode, trial).join("; "))));
        }
    }
    if trial.growth > MAX_GROWTH {
        wrong.push((Check::Memory, format!("memory grew by {} MiB", trial.growth >> 20)));
    }
    if trial.honest.times.is_empty() {
        wrong.push((Check::Failures, "the honest client was not answered".to_owned()));
    }
    let closed = trial.lives.iter().filter(|life| life.closed_after.is_some()).count();
    if ENDED.contains(&mode.name) && closed == 0 {
        wrong.push((Check::Ends, "the flood was not ended".to_owned()));
    }
    let open = trial.lives.len() - closed;
    if control.is_none() && open > 100 && !matches!(mode.ends, Ends::AtMost(_)) {
        wrong.push((Check::Ends, format!("{open} connections of one address are open")));
    }
    match control {
        Some(check) if wrong.iter().any(|(found, _)| *found == check) => Vec::new(),
        Some(check) => vec![format!("{} does not see {check:?}", mode.name)],
        None => wrong.into_iter().map(|(_, why)| format!("{}: {why}", mode.name)).collect(),
    }
}

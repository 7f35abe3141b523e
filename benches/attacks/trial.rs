//! One attack on a server that was just started, with the honest client beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::peers::{Peer, Running, Setup};
use rustix::process::{Pid, setpriority_process};
use rustls::ClientConfig;

use super::honest::{self, Experience};
use super::modes::{Mode, Through};
use super::stage::{Life, Stage};
use super::upstream;
use super::watch::Watch;

/// The honest client alone, before: memory and the learner settle.
const WARM_UP: Duration = Duration::from_secs(1);
/// The program in front of an application.
const PROXY: &[&str] = &[
    "proxy",
    "@extra@",
    "--listen",
    "@address@:@port@",
    "--cert",
    "@cert@",
    "--key",
    "@key@",
    "--state-dir",
    "@dir@",
    "--no-state",
    "--window",
    "0.5",
];
/// How much less an attacker's thread is worth to the kernel than the server's: elsewhere, it would be on another
/// machine.
const NICE: i32 = 10;

/// All that was seen.
pub(crate) struct Trial {
    /// The process still runs, answers, and said nothing of a panic.
    pub(crate) well: Result<(), String>,
    pub(crate) honest: Experience,
    /// Anonymous memory beyond that before the attack, at its worst, bytes.
    pub(crate) growth: u64,
    /// Processor time of the server over the time of the attack.
    pub(crate) load: f64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) connections: u64,
    pub(crate) lives: Vec<Life>,
    /// Pushed bytes for each byte of the attacker, after the first page of each connection.
    pub(crate) amplification: f64,
    pub(crate) pushed: u64,
    pub(crate) lasted: Duration,
}

pub(crate) fn run(setup: &Setup<'_>, peer: &Peer, tls: &Arc<ClientConfig>, mode: &Mode, lasting: Duration) -> Trial {
    let scheme = match mode.through {
        Through::Files => None,
        Through::Http1 => Some("http"),
        Through::Http2 => Some("h2c"),
    };
    let started = match scheme {
        None => setup.start(peer),
        Some(scheme) => {
            let url = format!("{scheme}://{}", upstream::start());
            Setup { extra: &url, ..setup.clone() }.start(&Peer { args: PROXY, ..*peer })
        }
    };
    let server = started.unwrap_or_else(|error| panic!("{error}"));
    let stop = Arc::new(AtomicBool::new(false));
    let honest = honest::start(server.address(), Arc::clone(tls), Arc::clone(&stop));
    std::thread::sleep(WARM_UP);

    let watch = Watch::start(server.pid());
    let (stage, load) = strike(&server, tls, mode, lasting);
    let growth = watch.finish();
    stop.store(true, Ordering::Relaxed);
    let honest = honest.join().expect("the honest client does not panic");
    let well = is_well(&server, tls);
    server.kill();

    let traffic = &stage.traffic;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let bytes_in = count(&traffic.sent).saturating_sub(count(&traffic.first_sent));
    let extra = count(&traffic.pushed).saturating_sub(count(&traffic.first_pushed));
    Trial {
        well,
        honest,
        growth,
        load,
        sent: count(&traffic.sent),
        received: count(&traffic.received),
        connections: count(&traffic.connections),
        lives: traffic.lives.lock().expect("no panic under the lock").clone(),
        amplification: if bytes_in == 0 { 0.0 } else { extra as f64 / bytes_in as f64 },
        pushed: count(&traffic.pushed),
        lasted: lasting,
    }
}

/// The attack, on a thread of its own.
fn strike(server: &Running, tls: &Arc<ClientConfig>, mode: &Mode, lasting: Duration) -> (Arc<Stage>, f64) {
    std::thread::scope(|scope| {
        let (before, began) = (server.cpu_time(), std::time::Instant::now());
        // Made here, for it need not be sent; only the stage comes back.
        let attacker = scope.spawn(|| {
            let me = Pid::from_raw(rustix::thread::gettid().as_raw_nonzero().get());
            // Without it the figures are worse, not better.
            let _ = setpriority_process(me, NICE);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let stage = Stage::new(server.address(), Arc::clone(tls), lasting);
                let limit = lasting + Duration::from_secs(5);
                let _ = tokio::time::timeout(limit, (mode.run)(Arc::clone(&stage))).await;
                stage
            })
        });
        let stage = attacker.join().expect("the attacker does not panic");
        let load = server.cpu_time().saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64();
        (stage, load)
    })
}

fn is_well(server: &Running, tls: &Arc<ClientConfig>) -> Result<(), String> {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap_or_default();
    if status.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('Z')) {
        return Err(format!("the server is gone: {}", server.said()));
    }
    let output = std::fs::read_to_string(server.scratch().join("output")).unwrap_or_default();
    if let Some(line) = output.lines().find(|line| line.contains("panicked")) {
        return Err(line.to_owned());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut client = honest::connect(server.address(), tls).await?;
        honest::get(&mut client, "/small.png", 400, None).await.map(|_| ())
    })
}

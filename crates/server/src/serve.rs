//! `headstart serve`: from settings to a server that runs until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use headstart::fleet::Fleet;
use headstart::{Builder, Headstart, VerifyHeld};
use tokio::sync::watch;

use crate::access_log_writer::{AccessLog, Target};
use crate::acme::{self, Acme};
use crate::admin::{self, Ledger, Measurement, Monitor, Saved};
use crate::assemble::{Identities, Sites};
use crate::beacon::Beacons;
use crate::certificates::{Certificates, WatchedFiles};
use crate::config::Settings;
use crate::config::sites::Content;
use crate::gate::Gate;
use crate::log::{self, Log, complain, say};
use crate::overrides::Given;
use crate::router::Router;
use crate::running::Running;
use crate::servers::{self, Servers};
use crate::signals::Signals;
use crate::snapshots::Snapshots;
use crate::state::{self, SnapshotFile};
use crate::tls::{self, Choices};
use crate::traffic::Watched;
use crate::trial;
use crate::{descriptors, fleet, operator};

/// Threads that may wait for a disk at once; further reads wait for one of them.
const MAX_READERS: usize = 64;

/// Serves until told to stop.
///
/// # Errors
///
/// If something that was named cannot be used. Nothing has been served then.
pub(crate) fn run(given: Given) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Reads of large files; each thread has a stack and an arena of its own.
        .max_blocking_threads(MAX_READERS)
        .build()
        .context("cannot start")?;
    let settings = match runtime.block_on(trial::settings(&given)) {
        Ok(settings) => settings,
        Err(problems) => return Ok(refuse(&problems)),
    };
    log::start(settings.log.format, &settings.log.filter.0)?;
    if let Some(line) = descriptors::raise(settings.connections.max) {
        say(format_args!("{line}"));
    }
    let code = runtime.block_on(async {
        match prepare(given, settings).await {
            Ok(running) => Ok(running.run().await),
            Err(Refused::Problems(problems)) => Ok(refuse(&problems)),
            Err(Refused::Other(error)) => Err(error),
        }
    });
    // A thread that still waits for a disk is not waited for.
    runtime.shutdown_background();
    code
}

fn refuse(problems: &[crate::config::Problem]) -> ExitCode {
    for problem in problems {
        complain(format_args!("{problem}"));
    }
    ExitCode::from(crate::BAD_INPUT)
}

/// Why nothing is served.
enum Refused {
    Problems(Vec<crate::config::Problem>),
    Other(anyhow::Error),
}

impl From<Vec<crate::config::Problem>> for Refused {
    fn from(problems: Vec<crate::config::Problem>) -> Self {
        Refused::Problems(problems)
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Refused::Other(error)
    }
}

/// Tries everything that can be wrong, and starts.
async fn prepare(given: Given, settings: Settings) -> Result<Running, Refused> {
    let sites = Sites::open(&settings, None)?;
    let identities = Identities::read(&settings)?;
    let bound = servers::bind(&settings.listen, &[]).await?;
    let gate = Gate::of(&settings, servers::all_loopback(&bound));
    let fleet = fleet::open(&settings)?;
    let file = snapshot_file(&settings)?;
    let lock = file.as_ref().map(SnapshotFile::lock).transpose()?;
    let log = Log::start();
    let monitor = monitor(&settings, file.as_ref()).await?;
    let fleet = fleet.map(|fleet| match monitor.ledger() {
        Some(ledger) => {
            ledger.share();
            fleet.figures(ledger)
        }
        None => fleet,
    });
    let headstart = headstart(&settings, gate.networks, file.as_ref(), fleet.as_ref(), &log, &monitor)?;
    headstart.join_fleet();
    let snapshot = file.as_ref().map(|file| file.path().to_owned());
    let every = settings.state.interval;
    let start = |file| Snapshots::start(file, headstart.clone(), monitor.ledger(), every);
    let snapshots = file.map(start).transpose()?;
    let signals = Signals::listen().context("cannot listen for signals")?;

    let certificates = Arc::new(Certificates::default());
    let (mut watched, mut self_signed, mut tls) = (WatchedFiles::default(), Vec::new(), None);
    if let Some(identities) = identities {
        certificates.replace(identities.table);
        (watched, self_signed) = (identities.watched, identities.self_signed);
        let choices = Choices { allow_tls12: settings.tls.allow_tls12, resumption: settings.tls.resumption };
        tls = Some(tls::server_config(Arc::clone(&certificates), choices)?);
    }
    // Before the first connection: a certificate that is kept is shown at once.
    let mut ordered = Acme::default();
    let state = acme::directory(&settings)?;
    let plain = settings.listen.iter().any(|listen| !listen.tls);
    ordered.change(settings.tls.acme.as_ref(), &state, plain, &certificates)?;
    let beacons = settings.engine.beacon.then(|| Beacons::new(headstart.clone()));
    let router = Router::new(sites.routes(), Arc::clone(&certificates), beacons);
    let drain = settings.connections.drain;
    let service = Watched::new(router.clone(), monitor.watch());
    let mut servers = Servers::new(headstart.clone(), service, tls, drain);
    servers.change(bound).context("cannot listen")?;
    operator::apply(&headstart, &settings, &servers.ports());

    for line in sites.lines() {
        say(format_args!("{line}"));
    }
    for line in self_signed {
        say(format_args!("{line}"));
    }
    say(format_args!("{gate}"));
    for url in servers.urls() {
        say(format_args!("point a browser at {url}"));
    }
    for url in monitor.urls() {
        say(format_args!("operators see the dashboard at {url}"));
    }
    let (health, access_log) = (monitor.health(), monitor.access_log().cloned());
    let origins = monitor.origins();
    origins.set(sites.origins());
    let (stopping, told) = watch::channel(false);
    monitor.start(headstart.clone(), gate.networks, measurement(&settings), snapshot, told);
    Ok(Running {
        given,
        settings,
        sites,
        router,
        certificates,
        acme: ordered,
        watched,
        servers,
        headstart,
        snapshots,
        signals,
        log,
        access_log,
        health,
        origins,
        stopping,
        _lock: lock,
    })
}

/// The dashboard's facts of how the gain is measured.
fn measurement(settings: &Settings) -> Measurement {
    let Settings { engine, connections, .. } = settings;
    Measurement {
        aa: engine.aa,
        no_holdout: engine.holdout == 0,
        shared_edge: engine.shared_edge,
        behind_proxies: !connections.trusted_proxies.is_empty(),
        beacon: engine.beacon,
    }
}

/// The figures of the gain that were saved. Those that cannot be used are said, set aside, and do no other harm.
fn figures(file: &SnapshotFile) -> Option<Saved> {
    let file = file.of_gain();
    let path = file.path().display();
    let problem = match file.load() {
        Ok(bytes) => match bytes.as_deref().map(Saved::from_bytes)? {
            Ok(saved) => return Some(saved),
            Err(error) => error.to_string(),
        },
        Err(error) => format!("{error:#}"),
    };
    let aside = match file.set_aside() {
        Ok(aside) => format!("it is now {}", aside.display()),
        Err(error) => format!("it cannot be set aside ({error}) and will be replaced"),
    };
    complain(format_args!(
        "cannot use the figures of the gain in {path}: {problem}; {aside}, and measuring begins anew"
    ));
    None
}

/// The access log and the admin listener, as far as they were asked for.
async fn monitor(settings: &Settings, file: Option<&SnapshotFile>) -> anyhow::Result<Monitor> {
    let format = settings.log.access_format;
    let log = settings.log.access.as_ref().map(|to| AccessLog::start(&Target::parse(&to.value.0), format));
    let admin = &settings.admin;
    let listen = admin.listen.as_ref().map(|at| at.value.clone());
    let config = admin::Config { listen, token: admin.token.clone(), hosts: admin.hosts.clone() };
    // Without a listener or beacons nothing is measured.
    let measures = config.listen.is_some() || settings.engine.beacon;
    let saved = file.filter(|_| measures).and_then(figures);
    Monitor::new(config, log.transpose()?, measures.then(|| Ledger::new(saved))).await
}

fn snapshot_file(settings: &Settings) -> anyhow::Result<Option<SnapshotFile>> {
    let state = &settings.state;
    if !state.save {
        return Ok(None);
    }
    let path = match &state.file {
        Some(path) => path.value.clone(),
        None => state::directory(state.directory.as_ref().map(|at| at.value.clone()))?.join("snapshot"),
    };
    Ok(Some(SnapshotFile::new(path)))
}

/// The engine with what the snapshot holds; a snapshot that cannot be used is said, set aside, and does no other harm.
fn headstart(
    settings: &Settings,
    networks: u32,
    file: Option<&SnapshotFile>,
    fleet: Option<&Fleet>,
    log: &Log,
    monitor: &Monitor,
) -> anyhow::Result<Headstart> {
    let (engine, connections) = (&settings.engine, &settings.connections);
    let builder = || {
        let builder = monitor
            .observe(Headstart::builder())
            .half_life(engine.half_life)
            .window(engine.window)
            .holdout(engine.holdout)
            .min_networks(networks)
            .campaign_fields(&engine.campaign_fields)
            .memory_bytes(engine.memory_bytes)
            .push_threshold(engine.push_threshold)
            .hint_threshold(engine.hint_threshold)
            .max_pushes(engine.budget.max_pushes)
            .max_push_bytes(engine.budget.max_push_bytes)
            .max_hints(engine.budget.max_hints)
            .cookie(engine.cookie)
            .markup(|markup| *markup = engine.markup)
            .shared_edge(engine.shared_edge)
            .aa(engine.aa)
            .beacon(engine.beacon)
            .verify_held(engine.verify_held.unwrap_or_else(|| verify_held(settings)))
            .max_connections(connections.max.min(descriptors::room()) as usize)
            .trusted_proxies(connections.trusted_proxies.iter().copied(), connections.forwarded_by)
            .h2(|h2| {
                // WebSockets over HTTP/2 (RFC 8441) are no setting of the program: the facade offers them.
                let extended_connect = h2.extended_connect;
                h2.clone_from(&connections.h2);
                h2.extended_connect = extended_connect;
            });
        let builder = match connections.max_per_address {
            0 => builder,
            limit => builder.max_connections_per_address(limit),
        };
        let builder = match connections.max_requests {
            0 => builder,
            limit => builder.max_requests(limit as usize),
        };
        if settings.log.views {
            let log = log.clone();
            builder.on_page_view(move |view| log.line(view.to_string()))
        } else {
            builder
        }
    };
    // The record of what was read of others is used with what was learned of it, or not at all.
    let joined = |builder: Builder, memory: Option<Vec<u8>>| match (fleet.cloned(), memory) {
        (Some(fleet), Some(memory)) => builder.fleet(fleet.resume(memory)),
        (Some(fleet), None) => builder.fleet(fleet),
        (None, _) => builder,
    };
    let Some(file) = file else { return Ok(joined(builder(), None).build()?) };
    let Some(bytes) = file.load()? else { return Ok(joined(builder(), None).build()?) };
    let memory = file.of_fleet().load().ok().flatten();
    match joined(builder().snapshot(bytes), memory).build() {
        Err(error) if error.is_snapshot() => {
            let path = file.path().display();
            let aside = match file.set_aside() {
                Ok(aside) => format!("it is now {}", aside.display()),
                Err(error) => format!("it cannot be set aside ({error}) and will be replaced"),
            };
            complain(format_args!("cannot use the snapshot {path}: {error}; {aside}, and learning starts anew"));
            Ok(joined(builder(), None).build()?)
        }
        built => Ok(built?),
    }
}

/// Files answer from memory, and may be edited in place whatever their names promise. An application is not asked again
/// for what it has called immutable.
fn verify_held(settings: &Settings) -> VerifyHeld {
    let files = settings.sites.iter().all(|site| matches!(site.content, Content::Files(_)));
    if files { VerifyHeld::Always } else { VerifyHeld::Mutable }
}

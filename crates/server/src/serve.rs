//! `headstart serve` and `headstart proxy`: a directory or an application over HTTPS, until told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use headstart::{Headstart, VerifyHeld};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::access_log_writer::{AccessLog, Target};
use crate::admin::{self, Monitor};
use crate::args::Options;
use crate::log::{Log, complain, say};
use crate::proxy::{self, Address, Proxy};
use crate::self_signed::{self, Origin};
use crate::signals::Signals;
use crate::snapshots::Snapshots;
use crate::state::{self, SnapshotFile};
use crate::static_files::{Config, StaticFiles};
use crate::tls::{self, Identity};
use crate::traffic::Watched;
use crate::{listen, origin, site};

/// Serves until told to stop.
///
/// # Errors
///
/// If something that was named cannot be used. Nothing has been served then.
pub(crate) fn run(source: Source, args: Options) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    let code = runtime.block_on(async { Ok(prepare(source, args).await?.serve().await) });
    // A thread that still waits for a disk is not waited for.
    runtime.shutdown_background();
    code
}

/// What is served.
pub(crate) enum Source {
    /// A directory; the example site if none is named.
    Directory(Option<PathBuf>),
    /// An application on these servers.
    Upstream(Vec<Address>),
}

impl Source {
    /// The service, a line about it, and when to ask it again for what clients hold.
    fn open(self) -> anyhow::Result<(origin::Origin, String, VerifyHeld)> {
        match self {
            Source::Directory(directory) => {
                let directory = site::directory(directory)?;
                let files = StaticFiles::new(&directory, Config::default())
                    .with_context(|| format!("cannot serve {}", directory.display()))?;
                // Our files answer from memory, and may be edited in place whatever their names promise.
                Ok((origin::Origin::Files(files), format!("serving {}", directory.display()), VerifyHeld::Always))
            }
            Source::Upstream(servers) => {
                let names = servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let proxy = Proxy::new(proxy::Config::new(servers))?;
                Ok((origin::Origin::Upstream(proxy), format!("in front of {names}"), VerifyHeld::Mutable))
            }
        }
    }
}

/// A server of which everything that can be wrong has been tried.
struct Prepared {
    headstart: Headstart,
    origin: origin::Origin,
    listeners: Vec<TcpListener>,
    tls: Arc<rustls::ServerConfig>,
    snapshots: Option<Snapshots>,
    signals: Signals,
    log: Log,
    monitor: Monitor,
    networks: u32,
    snapshot: Option<PathBuf>,
    drain: std::time::Duration,
}

async fn prepare(source: Source, args: Options) -> anyhow::Result<Prepared> {
    let (origin, what, verify_held) = source.open()?;
    let (tls, certificate) = certificate(&args)?;
    let mut listeners = Vec::new();
    let mut urls = Vec::new();
    for spec in &args.listen {
        for listener in listen::bind(spec).await? {
            let url = listen::url(spec, listener.local_addr()?);
            if !urls.contains(&url) {
                urls.push(url);
            }
            listeners.push(listener);
        }
    }
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    let gate = Gate::new(&args, listen::all_loopback(&addresses));
    let log = Log::start();
    let file = snapshot_file(&args)?;
    let monitor = monitor(&args).await?;
    let headstart = headstart(&args, gate.networks, verify_held, file.as_ref(), &log, &monitor)?;
    let snapshot = file.as_ref().map(|file| file.path().to_owned());
    let snapshots = file.map(|file| Snapshots::start(file, headstart.clone(), args.snapshot_interval)).transpose()?;
    let signals = Signals::listen().context("cannot listen for signals")?;

    say(format_args!("{what}"));
    if let Some(certificate) = certificate {
        say(format_args!("{certificate}"));
    }
    say(format_args!("{gate}"));
    for url in urls {
        say(format_args!("point a browser at {url}"));
    }
    for url in monitor.urls() {
        say(format_args!("operators see the dashboard at {url}"));
    }
    let (networks, drain) = (gate.networks, args.drain);
    Ok(Prepared { headstart, origin, listeners, tls, snapshots, signals, log, monitor, networks, snapshot, drain })
}

impl Prepared {
    async fn serve(self) -> ExitCode {
        let Self { headstart, origin, listeners, tls, snapshots, mut signals, log, monitor, networks, snapshot, drain } =
            self;
        let (stop, stopping) = watch::channel(false);
        let (health, access_log) = (monitor.health(), monitor.access_log().cloned());
        let service = Watched::new(origin, monitor.watch());
        monitor.start(headstart.clone(), networks, snapshot, stopping.clone());
        let mut servers = JoinSet::new();
        for listener in listeners {
            let mut stopping = stopping.clone();
            let server = headstart
                .serve(listener, Arc::clone(&tls), service.clone())
                .with_graceful_shutdown(async move {
                    // The sender outlives the servers.
                    let _ = stopping.wait_for(|stop| *stop).await;
                })
                .drain(drain);
            servers.spawn(server.into_future());
        }
        signals.next().await;
        health.drain();
        let _ = stop.send(true);
        tokio::select! {
            () = async { while servers.join_next().await.is_some() {} } => {}
            // Told twice: no more patience, but what was learned is kept.
            () = signals.next() => {}
        }
        headstart.finish();
        let saved = match snapshots {
            Some(snapshots) => snapshots.finish().await,
            None => Ok(()),
        };
        log.finish().await;
        if let Some(access_log) = access_log {
            access_log.finish().await;
        }
        match saved {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(format_args!("{error:#}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// The access log and the admin listener, as far as they were asked for.
async fn monitor(args: &Options) -> anyhow::Result<Monitor> {
    let log = args.access_log.as_deref().map(|to| AccessLog::start(&Target::parse(to), args.access_log_format));
    let config =
        admin::Config { listen: args.admin.clone(), token: args.admin_token.clone(), hosts: args.admin_host.clone() };
    Monitor::new(config, log.transpose()?).await
}

/// TLS with the certificate that was named, or our own; and a line about the latter.
fn certificate(args: &Options) -> anyhow::Result<(Arc<rustls::ServerConfig>, Option<String>)> {
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        let config = tls::server_config(tls::read(cert, key)?)
            .with_context(|| format!("cannot use the certificate {} with the key {}", cert.display(), key.display()))?;
        return Ok((config, None));
    }
    let path = state::directory(args.state_dir.clone())?.join("localhost.pem");
    let (identity, origin): (Identity, _) = self_signed::load_or_make(&path, SystemTime::now())?;
    let made = if origin == Origin::New { "made" } else { "kept" };
    let line = format!("self-signed certificate {made} in {}: browsers will warn about it once", path.display());
    Ok((tls::server_config(identity)?, Some(line)))
}

fn snapshot_file(args: &Options) -> anyhow::Result<Option<SnapshotFile>> {
    if args.no_state {
        return Ok(None);
    }
    let path: PathBuf = match &args.state {
        Some(path) => path.clone(),
        None => state::directory(args.state_dir.clone())?.join("snapshot"),
    };
    Ok(Some(SnapshotFile::new(path)))
}

/// The engine with what the snapshot holds; a snapshot that cannot be used is said, set aside, and does no other harm.
fn headstart(
    args: &Options,
    networks: u32,
    verify_held: VerifyHeld,
    file: Option<&SnapshotFile>,
    log: &Log,
    monitor: &Monitor,
) -> anyhow::Result<Headstart> {
    let builder = || {
        let log = log.clone();
        monitor
            .observe(Headstart::builder())
            .window(args.window)
            .holdout(args.holdout)
            .min_networks(networks)
            .cookie(args.cookie)
            .verify_held(verify_held)
            .on_page_view(move |view| log.line(view.to_string()))
    };
    let Some(file) = file else { return Ok(builder().build()?) };
    let Some(bytes) = file.load()? else { return Ok(builder().build()?) };
    match builder().snapshot(bytes).build() {
        Err(error) if error.is_snapshot() => {
            let path = file.path().display();
            let aside = match file.set_aside() {
                Ok(aside) => format!("it is now {}", aside.display()),
                Err(error) => format!("it cannot be set aside ({error}) and will be replaced"),
            };
            complain(format_args!("cannot use the snapshot {path}: {error}; {aside}, and learning starts anew"));
            Ok(builder().build()?)
        }
        built => Ok(built?),
    }
}

/// How many networks must have loaded a page before anything is sent early for it, and why.
struct Gate {
    networks: u32,
    why: &'static str,
}

impl Gate {
    fn new(args: &Options, loopback: bool) -> Self {
        match args.min_networks {
            Some(networks) => Self { networks: networks.get(), why: "as asked for" },
            None if loopback => Self { networks: 1, why: "as only loopback addresses are served" },
            None => Self { networks: 3, why: "so that no client alone can teach what others get" },
        }
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.networks == 1 { "" } else { "s" };
        write!(f, "assets are sent early once {} network{plural} loaded the page, {}", self.networks, self.why)
    }
}

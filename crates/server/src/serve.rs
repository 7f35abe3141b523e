//! `headstart serve`: a directory over HTTPS.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::args::Serve;
use crate::log::say;
use crate::self_signed::{self, Origin};
use crate::signals::Signals;
use crate::state::{self, SnapshotFile};
use crate::static_files::{Config, StaticFiles};
use crate::tls::{self, Identity};
use crate::{listen, site};

/// Serves until told to stop.
///
/// # Errors
///
/// If something that was named cannot be used. Nothing has been served then.
pub(crate) fn run(args: Serve) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    runtime.block_on(async {
        let prepared = prepare(args).await?;
        Ok(prepared.serve().await)
    })
}

/// Everything that can be wrong has been tried.
struct Prepared {
    listeners: Vec<(String, TcpListener)>,
    tls: Arc<rustls::ServerConfig>,
    files: StaticFiles,
    snapshot: Option<SnapshotFile>,
    signals: Signals,
}

async fn prepare(args: Serve) -> anyhow::Result<Prepared> {
    let directory = site::directory(args.directory.clone())?;
    let files = StaticFiles::new(&directory, Config::default())
        .with_context(|| format!("cannot serve {}", directory.display()))?;
    let tls = tls::server_config(identity(&args)?)?;
    let snapshot = snapshot_file(&args)?;
    let mut listeners = Vec::new();
    for spec in &args.listen {
        for listener in listen::bind(spec).await? {
            listeners.push((spec.clone(), listener));
        }
    }
    let signals = Signals::listen().context("cannot listen for signals")?;
    say(format_args!("serving {}", directory.display()));
    Ok(Prepared {
        listeners,
        tls,
        files,
        snapshot,
        signals,
    })
}

/// The certificate that was named, or our own.
fn identity(args: &Serve) -> anyhow::Result<Identity> {
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        return tls::read(cert, key);
    }
    let path = state::directory(args.state_dir.clone())?.join("localhost.pem");
    let (identity, origin) = self_signed::load_or_make(&path, SystemTime::now())?;
    let made = if origin == Origin::New {
        "made"
    } else {
        "kept"
    };
    say(format_args!(
        "certificate {made} in {}, self-signed: browsers will warn",
        path.display()
    ));
    Ok(identity)
}

fn snapshot_file(args: &Serve) -> anyhow::Result<Option<SnapshotFile>> {
    if args.no_state {
        return Ok(None);
    }
    let path = match &args.state {
        Some(path) => path.clone(),
        None => state::directory(args.state_dir.clone())?.join("snapshot"),
    };
    Ok(Some(SnapshotFile::new(path)))
}

impl Prepared {
    async fn serve(mut self) -> ExitCode {
        self.signals.next().await;
        ExitCode::SUCCESS
    }
}

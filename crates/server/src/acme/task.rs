//! The task that orders certificates and renews them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use instant_acme::Account;
use tokio::task::JoinHandle;

use super::client::Client;
use super::order::{self, Way};
use super::schedule;
use super::store::Store;
use crate::certificates::Certificates;
use crate::config::Settings;
use crate::config::operation::Acme as Config;
use crate::log::{complain, say};
use crate::{state, tls};

/// How long it sleeps at most, so that a machine that was suspended notices.
const NAP: Duration = Duration::from_secs(600);

/// The directory of certificates that are ordered; nothing is made if there are none.
///
/// # Errors
///
/// If the directory cannot be made.
pub(crate) fn directory(settings: &Settings) -> anyhow::Result<PathBuf> {
    if settings.tls.acme.is_none() {
        return Ok(PathBuf::new());
    }
    state::directory(settings.state.directory.as_ref().map(|at| at.value.clone()))
}

/// Orders certificates until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Acme {
    config: Option<Config>,
    task: Option<JoinHandle<()>>,
}

/// A name, and when something is to be done for it.
struct Name {
    host: String,
    due: SystemTime,
    failures: u32,
    /// The challenge that worked last time is tried first.
    way: Way,
}

impl Acme {
    /// Begins, goes on as it is, or ends, as settings say; what is kept is used at once. `plain` says whether anything
    /// listens without TLS.
    ///
    /// # Errors
    ///
    /// If the state directory, or the certificates that the authority is known by, cannot be used.
    pub(crate) fn change(
        &mut self,
        config: Option<&Config>,
        state: &Path,
        plain: bool,
        certificates: &Arc<Certificates>,
    ) -> anyhow::Result<()> {
        if self.config.as_ref() == config {
            return Ok(());
        }
        let started = config.map(|config| start(config, state, plain, certificates)).transpose()?;
        if started.is_none() {
            certificates.manage(&[], HashMap::new());
        }
        if let Some(old) = std::mem::replace(&mut self.task, started) {
            old.abort();
        }
        self.config = config.cloned();
        Ok(())
    }
}

impl Drop for Acme {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn start(
    config: &Config,
    state: &Path,
    plain: bool,
    certificates: &Arc<Certificates>,
) -> anyhow::Result<JoinHandle<()>> {
    let store = Store::open(state, &config.authority)?;
    let client = Client::new(config)?;
    let now = SystemTime::now();
    let mut names = Vec::new();
    let mut kept = HashMap::new();
    for domain in &config.domains {
        let name = domain.value.clone();
        let identity = store.identity(&name);
        let validity = identity.as_ref().and_then(|identity| tls::validity(identity.chain.first()?));
        let due = validity.map_or(now, |(from, to)| schedule::renewal(from, to));
        if let Some(key) = identity.filter(|_| validity.is_some_and(|(_, to)| now < to)) {
            match tls::certified(key) {
                Ok(key) => drop(kept.insert(name.clone(), key)),
                Err(error) => complain(format_args!("cannot use the certificate that is kept for {name}: {error:#}")),
            }
        }
        let due = if kept.contains_key(&name) { due } else { now };
        names.push(Name { host: name, due, failures: 0, way: Way::TlsAlpn });
    }
    let all: Vec<String> = names.iter().map(|name| name.host.clone()).collect();
    let waiting = all.iter().filter(|name| !kept.contains_key(*name)).count();
    certificates.manage(&all, kept);
    let (count, directory) = (all.len(), &config.authority);
    let plural = if count == 1 { "" } else { "s" };
    say(format_args!(
        "certificates for {count} name{plural} come from {directory}; {waiting} to be ordered, whose handshakes are refused \
         until then"
    ));
    let task =
        Task { config: config.clone(), store, client, plain, certificates: Arc::clone(certificates), account: None };
    Ok(tokio::spawn(task.run(names)))
}

struct Task {
    config: Config,
    store: Store,
    client: Client,
    plain: bool,
    certificates: Arc<Certificates>,
    account: Option<Account>,
}

impl Task {
    async fn run(mut self, mut names: Vec<Name>) {
        loop {
            for name in &mut names {
                if name.due <= SystemTime::now() {
                    self.order(name).await;
                }
            }
            let next = names.iter().map(|name| name.due).min().unwrap_or(SystemTime::now() + NAP);
            tokio::time::sleep(next.duration_since(SystemTime::now()).unwrap_or_default().min(NAP)).await;
        }
    }

    async fn order(&mut self, name: &mut Name) {
        match self.try_order(name).await {
            Ok((until, renewed)) => {
                name.failures = 0;
                let verb = if renewed { "renewed" } else { "issued" };
                let until = httpdate::fmt_http_date(until);
                say(format_args!("the certificate for {} was {verb}; it is valid until {until}", name.host));
            }
            Err(error) => {
                name.failures = name.failures.saturating_add(1);
                let wait = schedule::wait(name.failures, self.config.retry);
                name.due = SystemTime::now() + wait;
                complain(format_args!(
                    "no certificate for {} from {}: {error:#}; the next try is in {} s",
                    name.host,
                    self.config.authority,
                    wait.as_secs_f32().ceil()
                ));
            }
        }
    }

    /// Until when the new certificate is valid, and whether there was one before.
    async fn try_order(&mut self, name: &mut Name) -> anyhow::Result<(SystemTime, bool)> {
        let account = if let Some(account) = &self.account {
            account.clone()
        } else {
            let account = order::account(&self.config, &self.client, &self.store).await?;
            self.account.insert(account).clone()
        };
        let mut ways = vec![Way::TlsAlpn];
        if self.plain {
            ways.push(Way::Http);
        }
        ways.sort_by_key(|way| *way != name.way);
        let mut failures = Vec::new();
        for way in ways {
            match order::certificate(&account, &name.host, self.certificates.challenges(), way).await {
                Ok(pem) => {
                    name.way = way;
                    return self.take(name, &pem);
                }
                Err(error) => failures.push(format!("{error:#} ({})", way.describe())),
            }
        }
        anyhow::bail!("{}", failures.join("; "))
    }

    fn take(&self, name: &mut Name, pem: &str) -> anyhow::Result<(SystemTime, bool)> {
        let identity = tls::parse(pem.as_bytes(), pem.as_bytes())?;
        let validity = identity.chain.first().and_then(tls::validity);
        let key = tls::certified(identity)?;
        self.store.keep_identity(&name.host, pem)?;
        let renewed = self.certificates.issue(&name.host, key);
        // One whose time cannot be read is looked at again in a day.
        let fallback = SystemTime::now() + Duration::from_secs(24 * 3600);
        let (due, until) = validity.map_or((fallback, fallback), |(from, to)| (schedule::renewal(from, to), to));
        // Never at once: an authority that issues what is over already would be asked without end.
        name.due = due.max(SystemTime::now() + self.config.retry);
        Ok((until, renewed))
    }
}

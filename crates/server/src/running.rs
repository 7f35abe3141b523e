//! A server that runs: it reloads, watches its certificates, and stops in order.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use headstart::Headstart;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::access_log_writer::AccessLog;
use crate::acme::{self, Acme};
use crate::admin::{Health, Origins};
use crate::assemble::{Identities, Sites};
use crate::certificates::{Certificates, WatchedFiles};
use crate::config::{Problem, Settings};
use crate::log::{Log, complain, say};
use crate::operator;
use crate::overrides::Given;
use crate::router::Router;
use crate::servers::Servers;
use crate::signals::{Signal, Signals};
use crate::snapshots::Snapshots;
use crate::state::Lock;
use crate::systemd;

/// How often it is said what kept most views or assets from being learned.
const DIAGNOSIS: Duration = Duration::from_secs(3600);

/// How long a fleet may take to hear what it has not been told.
const GOOD_BYE: std::time::Duration = std::time::Duration::from_secs(3);

/// Everything that a server holds.
pub(crate) struct Running {
    pub(crate) given: Given,
    pub(crate) settings: Settings,
    pub(crate) sites: Sites,
    pub(crate) router: Router,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) acme: Acme,
    pub(crate) watched: WatchedFiles,
    pub(crate) servers: Servers,
    pub(crate) headstart: Headstart,
    pub(crate) snapshots: Option<Snapshots>,
    pub(crate) signals: Signals,
    pub(crate) log: Log,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) health: Health,
    /// Tells the admin listener what answers.
    pub(crate) origins: Origins,
    /// Tells the admin listener that the end has come.
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) _lock: Option<Lock>,
}

/// How long a stop goes on in silence: most connections have nothing under way and end at once.
const SILENCE: Duration = Duration::from_millis(300);

/// Says how many connections a stop waits for, and how long; never ends.
async fn say_what_is_waited_for(headstart: &Headstart, drain: Duration) {
    tokio::time::sleep(SILENCE).await;
    let stats = headstart.stats();
    let open = stats.connections.saturating_sub(stats.connections_ended);
    let (plural, have) = if open == 1 { ("", "has") } else { ("s", "have") };
    say(format_args!(
        "stopping: {open} connection{plural} still {have} responses under way; waiting for up to {} s (a second signal \
         ends the wait)",
        drain.as_secs_f32()
    ));
    std::future::pending::<()>().await;
}

impl Running {
    /// Serves until told to stop, and reports how that went.
    pub(crate) async fn run(mut self) -> ExitCode {
        systemd::ready("serving");
        let mut watch = interval(self.settings.tls.poll);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut hourly = interval(DIAGNOSIS);
        hourly.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let asked = systemd::watchdog();
        let mut alive = interval(asked.unwrap_or(Duration::from_secs(3600)));
        loop {
            tokio::select! {
                signal = self.signals.next() => match signal {
                    Signal::Reload => {
                        if let Some(log) = &self.access_log {
                            log.reopen();
                        }
                        self.reload().await;
                    }
                    Signal::Stop => break,
                },
                _ = watch.tick() => self.look_at_certificates(),
                _ = hourly.tick() => if let Some(diagnosis) = self.headstart.diagnose() {
                    complain(format_args!("{diagnosis}"));
                },
                _ = alive.tick() => if asked.is_some() { systemd::alive() },
            }
        }
        self.stop().await
    }

    /// Reads the configuration again. What cannot be used changes nothing.
    async fn reload(&mut self) {
        systemd::reloading();
        match self.try_reload().await {
            Ok(restart) => {
                let sites = self.settings.sites.len();
                say(format_args!("reloaded: {sites} site{}", if sites == 1 { "" } else { "s" }));
                for section in restart {
                    complain(format_args!("{section} changed: that holds from the next start on"));
                }
                for url in self.servers.urls() {
                    say(format_args!("point a browser at {url}"));
                }
                systemd::ready("serving");
            }
            Err(problems) => {
                for problem in problems {
                    complain(format_args!("{problem}"));
                }
                complain(format_args!("not reloaded: the configuration from before is still served"));
                systemd::ready("serving; the last reload failed");
            }
        }
    }

    async fn try_reload(&mut self) -> Result<Vec<&'static str>, Vec<Problem>> {
        let settings = self.given.settings()?;
        let sites = Sites::open(&settings, Some(&self.sites))?;
        let identities = Identities::read(&settings)?;
        if identities.is_some() && !self.servers.has_tls() {
            return Err(vec![Problem::of_program("no listener had TLS at the start: TLS needs a restart")]);
        }
        let bound = self.servers.bind(&settings.listen).await?;
        let plain = settings.listen.iter().any(|listen| !listen.tls);
        let state = acme::directory(&settings).map_err(|error| vec![Problem::of_program(format!("{error:#}"))])?;
        self.acme
            .change(settings.tls.acme.as_ref(), &state, plain, &self.certificates)
            .map_err(|error| vec![Problem::of_program(format!("{error:#}"))])?;
        // From here on nothing can fail but for want of descriptors.
        if let Some(identities) = identities {
            self.certificates.replace(identities.table);
            self.watched = identities.watched;
        }
        self.router.replace(sites.routes());
        self.origins.set(sites.origins());
        self.servers.change(bound).map_err(|error| vec![Problem::of_program(format!("cannot listen: {error}"))])?;
        operator::apply(&self.headstart, &settings, &self.servers.ports());
        let restart = settings.needing_restart(&self.settings);
        self.settings = settings;
        self.sites = sites;
        Ok(restart)
    }

    /// Takes over certificates whose files have changed. Files that cannot be used change nothing, until they change
    /// again: a certificate is often written before its key.
    fn look_at_certificates(&mut self) {
        if !self.watched.changed() {
            return;
        }
        match Identities::read(&self.settings) {
            Ok(Some(identities)) => {
                self.certificates.replace(identities.table);
                say(format_args!("certificates have changed and are used from now on"));
            }
            Ok(None) => {}
            Err(problems) => {
                for problem in problems {
                    complain(format_args!("{problem}"));
                }
                complain(format_args!("certificates have changed, but those from before are still used"));
            }
        }
    }

    async fn stop(mut self) -> ExitCode {
        systemd::stopping();
        self.health.drain();
        let _ = self.stopping.send(true);
        let (headstart, drain) = (self.headstart.clone(), self.settings.connections.drain);
        tokio::select! {
            () = self.servers.stop() => {}
            // Told twice: no more patience, but what was learned is kept.
            () = self.signals.stop() => say(format_args!("stopping at once: what was under way is cut off")),
            () = say_what_is_waited_for(&headstart, drain) => {}
        }
        self.headstart.finish();
        self.headstart.leave_fleet(GOOD_BYE).await;
        let saved = match self.snapshots {
            Some(snapshots) => snapshots.finish().await,
            None => Ok(()),
        };
        self.log.finish().await;
        if let Some(log) = self.access_log {
            log.finish().await;
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

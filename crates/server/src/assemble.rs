//! From settings to what serves: directories opened, certificates read. All that is wrong is found, not the first.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::sign::CertifiedKey;

use crate::certificates::{Table, WatchedFiles};
use crate::config::operation::IdentityFiles;
use crate::config::place::{At, Place};
use crate::config::sites::{Content, Site};
use crate::config::{Problem, Problems, Settings};
use crate::origin::Origin;
use crate::routes::Routes;
use crate::self_signed::{self, Origin as MadeOrKept};
use crate::served::Served;
use crate::{descriptors, state, tls};
use headstart_files::StaticFiles;
use headstart_proxy::{Cache, Proxy};

/// Sites that can be served.
pub(crate) struct Sites {
    /// With the settings that each was made from, so that one that stays the same keeps its memory and connections.
    parts: Vec<(Site, Origin)>,
    /// The responses of all upstreams.
    cache: Cache,
}

impl Sites {
    /// Opens what the settings name. What is the same as in `old` is taken from there.
    ///
    /// # Errors
    ///
    /// All that cannot be used.
    pub(crate) fn open(settings: &Settings, old: Option<&Self>) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        if settings.sites.is_empty() {
            let message = "nothing to serve: the example site is not on this machine; say `headstart serve DIR`";
            problems.add(&Place::named(""), "", message);
        }
        let cache = old.map_or_else(Cache::default, |old| old.cache.clone());
        let mut parts = Vec::new();
        for site in &settings.sites {
            let kept =
                old.and_then(|old| old.parts.iter().find(|(of, _)| of == site)).map(|(_, origin)| origin.clone());
            if let Some(origin) = kept.or_else(|| open(site, &cache, &problems)) {
                parts.push((site.clone(), origin));
            }
        }
        let problems = problems.into_sorted();
        if problems.is_empty() { Ok(Self { parts, cache }) } else { Err(problems) }
    }

    /// A line about each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(site, _): &(Site, Origin)| {
            let names: Vec<_> = site.hosts.iter().map(|host| host.value.as_str()).collect();
            let names = if names.is_empty() { String::new() } else { format!(" as {}", names.join(", ")) };
            let path = if site.path == "/" { String::new() } else { format!(" under {}", site.path) };
            match &site.content {
                Content::Files(files) => format!("serving {}{names}{path}", files.root.value.display()),
                Content::Upstream(upstream) => {
                    let servers: Vec<_> = upstream.config.servers.iter().map(ToString::to_string).collect();
                    format!("in front of {}{names}{path}", servers.join(", "))
                }
            }
        };
        self.parts.iter().map(line).collect()
    }

    /// The origins that answer.
    pub(crate) fn origins(&self) -> Vec<Origin> {
        self.parts.iter().map(|(_, origin)| origin.clone()).collect()
    }

    /// The site that answers for each name and path.
    pub(crate) fn routes(&self) -> Routes<Served> {
        let mut routes = Routes::default();
        for (site, origin) in &self.parts {
            let names = site.hosts.iter().map(|host| host.value.as_str());
            let served = Served::new(origin.clone(), site);
            for host in names.chain(site.hosts.is_empty().then_some("")) {
                // Two sites for one name and path were a problem of the configuration.
                routes.insert(host, &site.path, served.clone());
            }
        }
        routes
    }
}

/// The settings of a directory, which has its descriptors in common with all others.
fn with_descriptors(config: &headstart_files::Config) -> headstart_files::Config {
    headstart_files::Config { descriptors: descriptors::of_files(), ..config.clone() }
}

fn open(site: &Site, cache: &Cache, problems: &Problems) -> Option<Origin> {
    match &site.content {
        Content::Files(of) => match StaticFiles::new(&of.root.value, with_descriptors(&of.config)) {
            Ok(files) => Some(Origin::Files(files)),
            Err(error) => {
                let message = format!("cannot serve {}: {error}", of.root.value.display());
                problems.add_at(&of.root, message);
                None
            }
        },
        Content::Upstream(upstream) => match Proxy::new(upstream.config.clone(), cache.clone()) {
            Ok(proxy) => Some(Origin::Upstream(proxy)),
            Err(error) => {
                problems.add(&upstream.place, &*upstream.key, error.to_string());
                None
            }
        },
    }
}

/// The certificates that the settings name, the files to watch, and lines about one of our own.
pub(crate) struct Identities {
    pub(crate) table: Table,
    pub(crate) watched: WatchedFiles,
    pub(crate) self_signed: Vec<String>,
}

impl Identities {
    /// Reads them, and makes one for `localhost` where one is missing. `None` if nothing is served over TLS.
    ///
    /// # Errors
    ///
    /// All that cannot be used.
    pub(crate) fn read(settings: &Settings) -> Result<Option<Self>, Vec<Problem>> {
        let Some(mut identities) = Self::named(settings)? else { return Ok(None) };
        if !identities.table.has_default() && settings.tls.acme.is_none() {
            let own = own(settings).map_err(|error| vec![Problem::of_program(format!("{error:#}"))]);
            let (key, lines) = own?;
            identities.table.otherwise(&key);
            identities.self_signed = lines;
        }
        Ok(Some(identities))
    }

    /// Reads those that the settings name.
    ///
    /// # Errors
    ///
    /// All that cannot be used.
    pub(crate) fn named(settings: &Settings) -> Result<Option<Self>, Vec<Problem>> {
        if !settings.listen.iter().any(|listen| listen.tls) {
            return Ok(None);
        }
        let problems = Problems::default();
        let mut table = Table::default();
        let mut files = Vec::new();
        let mut add = |identity: &IdentityFiles| {
            let (cert, key) = identity.pair()?;
            files.extend([cert.value.clone(), key.value.clone()]);
            certified(cert, key, &problems)
        };
        if let Some(key) = add(&settings.tls.identity) {
            table.otherwise(&key);
        }
        let mut first = None;
        for site in &settings.sites {
            let Some(key) = add(&site.identity) else { continue };
            for host in &site.hosts {
                table.insert(&host.value, &key);
                if let Some((cert, _)) = site.identity.pair().filter(|_| !tls::is_for(&key, &host.value)) {
                    let message = format!("the certificate {} is not for {}", cert.value.display(), host.value);
                    problems.add_at(cert, message);
                }
            }
            first.get_or_insert(key);
        }
        let all_have = settings.sites.iter().all(|site| site.identity.pair().is_some());
        if let Some(key) = first.filter(|_| all_have) {
            // Whoever asks for none of them gets a wrong one in any case.
            table.otherwise(&key);
        }
        let problems = problems.into_sorted();
        if problems.is_empty() {
            Ok(Some(Self { table, watched: WatchedFiles::new(files), self_signed: Vec::new() }))
        } else {
            Err(problems)
        }
    }
}

fn certified(cert: &At<PathBuf>, key: &At<PathBuf>, problems: &Problems) -> Option<Arc<CertifiedKey>> {
    let complain = |at: &At<PathBuf>, error: &anyhow::Error| problems.add_at(at, format!("{error:#}"));
    let chain = tls::read_chain(&cert.value).map_err(|error| complain(cert, &error)).ok();
    let private = tls::read_key(&key.value).map_err(|error| complain(key, &error)).ok();
    let identity = tls::Identity { chain: chain?, key: private? };
    tls::certified(identity)
        .map_err(|error| {
            let files = format!("{} with the key {}", cert.value.display(), key.value.display());
            complain(cert, &error.context(format!("cannot use the certificate {files}")));
        })
        .ok()
}

/// Our own certificate for `localhost`, and lines about it.
fn own(settings: &Settings) -> anyhow::Result<(Arc<CertifiedKey>, Vec<String>)> {
    let directory = state::directory(settings.state.directory.as_ref().map(|at| at.value.clone()));
    let kept = directory.and_then(|directory| {
        let path = directory.join("localhost.pem");
        Ok((self_signed::load_or_make(&path, SystemTime::now())?, path))
    });
    let ((identity, origin), path) = match kept {
        Ok(kept) => kept,
        Err(error) => {
            let line = "self-signed certificate made for this run: browsers will warn about it each time";
            // With --no-state nothing is to be kept.
            let why = if settings.state.save { format!(" ({error:#})") } else { String::new() };
            return Ok((tls::certified(self_signed::for_now(SystemTime::now())?)?, vec![format!("{line}{why}")]));
        }
    };
    let made = if origin == MadeOrKept::New { "made" } else { "kept" };
    let path = path.display();
    let trust = if cfg!(target_os = "macos") {
        format!("security add-trusted-cert -k ~/Library/Keychains/login.keychain-db {path}")
    } else {
        format!("certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n headstart -i {path}")
    };
    let lines = vec![
        format!("self-signed certificate {made} in {path}: browsers will warn about it once"),
        format!("until it is trusted, Chromium keeps no cache and fetches each hint twice: {trust}"),
    ];
    Ok((tls::certified(identity)?, lines))
}

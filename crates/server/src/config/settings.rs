//! All settings, understood.

use std::path::PathBuf;

use super::connections::{self, Connections};
use super::engine::{self, Engine};
use super::listeners::{self, Listen};
use super::operation::{self, Log, State, Tls};
use super::place::Place;
use super::problems::Problems;
use super::rules::{self, HostRule};
use super::section::{At, Section};
use super::sites::{self, Site};
use super::tree::Node;
use crate::admin;

/// What the program does. Every setting has a default, so an empty file is one that works.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Vec<Listen>,
    pub(crate) sites: Vec<Site>,
    pub(crate) tls: Tls,
    pub(crate) engine: Engine,
    pub(crate) connections: Connections,
    pub(crate) state: State,
    pub(crate) log: Log,
    pub(crate) admin: admin::Config,
    /// In force at once, as sites are.
    pub(crate) rules: Vec<HostRule>,
}

impl Settings {
    /// Understands values. What is wrong with them is added to the problems, and a default stands in for it.
    pub(crate) fn read(node: Node, problems: &Problems, surroundings: &Surroundings) -> Self {
        let mut root = Section::root(node, problems);
        let connections = connections::read(&mut root);
        let mut sites = sites::read(&mut root, &connections.trusted_proxies);
        if sites.is_empty() && !root.has("site") {
            sites.extend(surroundings.example.clone().map(example));
        }
        let settings = Self {
            listen: listeners::read(&mut root, surroundings.activated),
            sites,
            tls: operation::tls(&mut root),
            engine: engine::read(&mut root),
            connections,
            state: operation::state(&mut root),
            log: operation::log(&mut root),
            admin: operation::admin(&mut root),
            rules: rules::read(&mut root, problems),
        };
        root.done();
        settings
    }

    /// Sections that differ from those of the `old` settings and hold only from the next start on.
    pub(crate) fn needing_restart(&self, old: &Self) -> Vec<&'static str> {
        let differ = [
            ("[learn], [push], [hint] or [cookie]", self.engine != old.engine),
            ("[h2], [timeouts] or [limits]", self.connections != old.connections),
            ("[state]", self.state != old.state),
            ("[admin]", self.admin != old.admin),
            ("[log]", self.log != old.log),
            (
                "[tls] min_version or resumption",
                (self.tls.allow_tls12, self.tls.resumption) != (old.tls.allow_tls12, old.tls.resumption),
            ),
        ];
        differ.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// What the defaults depend on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// Whether systemd passed sockets.
    pub(crate) activated: bool,
    /// What is served if nothing else is.
    pub(crate) example: Option<PathBuf>,
}

fn example(root: PathBuf) -> Site {
    let place = Place::named("the default");
    let root = At { value: root, place: place.clone(), key: "site.root".into() };
    Site {
        place,
        name: "site".into(),
        hosts: Vec::new(),
        path: "/".into(),
        identity: None,
        budget: sites::PartialBudget::default(),
        content: sites::Content::Files { root },
    }
}

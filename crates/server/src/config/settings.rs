//! All settings, understood.

use std::path::PathBuf;

use super::connections::{self, Connections};
use super::engine::{self, Engine};
use super::files::Files;
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
        content: sites::Content::Files(Box::new(Files { root, config: headstart_files::Config::default() })),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::tree;

    const EXAMPLE: &str = include_str!("../../packaging/headstart.toml");

    fn read(text: String) -> (Settings, Vec<String>) {
        let problems = Problems::default();
        let node = tree::parse(Path::new("x"), text, &problems);
        let settings = Settings::read(node, &problems, &Surroundings::default());
        (settings, problems.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_example_says_the_defaults() {
        let (example, problems) = read(EXAMPLE.to_owned());
        assert_eq!(problems, [""; 0]);
        let (default, _) = read(String::new());
        assert_eq!(example.needing_restart(&default), [""; 0]);
        assert_eq!(format!("{:?}", example.engine), format!("{:?}", default.engine));
        let listen = |settings: &Settings| {
            let shown = settings.listen.iter().map(|l| (l.socket.value.to_string(), l.tls, l.proxy_protocol.clone()));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(listen(&example), listen(&default));
        assert_eq!(example.tls, default.tls);
    }

    /// What is commented out is a setting as well: no key in the example is unknown, and no value is refused for its form.
    #[test]
    fn every_key_of_the_example_is_one() {
        let uncommented: Vec<_> = EXAMPLE
            .lines()
            .map(|line| {
                let setting = line.strip_prefix("# ").filter(|rest| {
                    let key = rest.split([' ', '=']).next().unwrap_or_default();
                    rest.starts_with('[')
                        || (rest.contains(" = ") && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
                });
                setting.unwrap_or(line)
            })
            .collect();
        let (settings, problems) = read(uncommented.join("\n"));
        // The rules of another file, and an address beside the socket of systemd.
        let expected = ["cannot read the rules", "not both"];
        for problem in &problems {
            assert!(expected.iter().any(|part| problem.contains(part)), "{problem}");
        }
        assert_eq!((settings.sites.len(), settings.rules.len()), (2, 2));
    }
}

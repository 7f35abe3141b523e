//! All settings, understood.

use headstart::ForwardedBy;
use headstart_proxy::{ForwardedField, Forwarding};

use super::connections::Connections;
use super::engine::Engine;
use super::fleet::Fleet;
use super::listeners::{self, Listen};
use super::operation::{Admin, Log, State, Tls};
use super::problems::Problems;
use super::rules::{self, HostRule};
use super::section::Section;
use super::sites::{self, Site};
use super::table;
use super::tree::Node;

/// All settings of the program. Every setting has a default, so an empty file is one that works.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Vec<Listen>,
    pub(crate) sites: Vec<Site>,
    pub(crate) tls: Tls,
    pub(crate) engine: Engine,
    pub(crate) fleet: Fleet,
    pub(crate) connections: Connections,
    pub(crate) state: State,
    pub(crate) log: Log,
    pub(crate) admin: Admin,
    /// In force at once, as sites are.
    pub(crate) rules: Vec<HostRule>,
}

impl Settings {
    /// Understands values. What is wrong with them is added to the problems, and a default stands in for it.
    pub(crate) fn read(node: Node, problems: &Problems, activated: bool) -> Self {
        let mut root = Section::root(node, problems);
        let mut keys = table::Root::default();
        let mut engine = Engine::default();
        let mut connections = Connections::default();
        let (mut tls, mut state, mut log) = (Tls::default(), State::default(), Log::default());
        let mut admin = Admin::default();
        table::root().read_keys(&mut root, &mut keys);
        let (markup, edge, gain, beacon) = (table::markup(), table::edge(), table::gain(), table::beacon());
        for group in [table::learn(), table::push(), table::hint(), table::cookie(), markup, edge, gain, beacon] {
            group.read(&mut root, &mut engine);
        }
        for group in [table::limits(), table::timeouts(), table::h2()] {
            group.read(&mut root, &mut connections);
        }
        let mut fleet = Fleet::default();
        table::fleet().read(&mut root, &mut fleet);
        fleet.check(problems);
        table::tls().read(&mut root, &mut tls);
        tls.identity.check(problems);
        table::state().read(&mut root, &mut state);
        state.check(problems);
        table::log().read(&mut root, &mut log);
        table::admin().read(&mut root, &mut admin);
        let listen = listeners::read(root.sections_or_text("listen", "address"), activated, problems);
        let forwarding = Forwarding {
            trusted: connections.trusted_proxies.clone(),
            field: match connections.forwarded_by {
                ForwardedBy::Forwarded => ForwardedField::Forwarded,
                _ => ForwardedField::XForwardedFor,
            },
            ..Forwarding::default()
        };
        let sites = sites::read(&mut root, &forwarding, problems);
        if let Some(acme) = &mut tls.acme {
            acme.check(&listen, &sites, problems);
        }
        let rules = rules::read(&mut root, &keys.rules, problems);
        root.done();
        // A balancer in front may speak TLS in our place, and says so.
        if !listen.iter().any(|listen| listen.tls) && connections.trusted_proxies.is_empty() {
            for https in sites.iter().filter_map(|site| site.https.as_ref()) {
                problems
                    .add_at(https, "has nowhere to redirect to: no listener has TLS, and there are no trusted_proxies");
            }
        }
        Self { listen, sites, tls, engine, fleet, connections, state, log, admin, rules }
    }

    /// Sections that differ from those of the `old` settings and hold only from the next start on.
    pub(crate) fn needing_restart(&self, old: &Self) -> Vec<&'static str> {
        let differ = [
            ("[learn], [push], [hint], [cookie], [markup], [edge], [gain] or [beacon]", self.engine != old.engine),
            ("[h2], [timeouts] or [limits]", self.connections != old.connections),
            ("[fleet]", self.fleet != old.fleet),
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

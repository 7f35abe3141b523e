//! The operator's settings in the engine's types.

use headstart::{Budget, Headstart, Rules};

use crate::config::Settings;
use crate::config::rules::authorities;
use crate::config::sites::Site;

/// Has the engine follow the settings that need no restart: rules, budgets, and the names that are learned for. A name
/// is known on every port that is served, and without one.
pub(crate) fn apply(headstart: &Headstart, settings: &Settings, ports: &[u16]) {
    headstart.set_rules(rules(settings, ports));
    headstart.set_hosts(hosts(settings, ports));
    headstart.set_pinned_hosts(named(settings, ports));
}

fn rules(settings: &Settings, ports: &[u16]) -> Rules {
    let rules = settings.rules.iter().fold(Rules::new(), |rules, rule| rules.with(rule.on(ports)));
    let default = settings.engine.budget;
    settings.sites.iter().fold(rules, |rules, site| {
        let budget = Budget {
            max_pushes: site.budget.pushes.unwrap_or(default.max_pushes),
            max_push_bytes: site.budget.push_bytes.unwrap_or(default.max_push_bytes),
            max_hints: site.budget.hints.unwrap_or(default.max_hints),
        };
        let names = site.hosts.iter().flat_map(|host| authorities(&host.value, ports));
        names.fold(rules, |rules, name| rules.budget(&name, budget))
    })
}

/// The names that pages are learned for: those of the sites, if there is no site for all names or for a wildcard. Made-up
/// names take no place then.
fn hosts(settings: &Settings, ports: &[u16]) -> Option<Vec<String>> {
    let any = |site: &Site| site.hosts.is_empty() || site.hosts.iter().any(|host| host.value.starts_with('*'));
    (!settings.sites.iter().any(any)).then(|| named(settings, ports))
}

/// The names that the configuration contains.
fn named(settings: &Settings, ports: &[u16]) -> Vec<String> {
    let hosts = settings.sites.iter().flat_map(|site| &site.hosts).filter(|host| !host.value.starts_with('*'));
    hosts.flat_map(|host| authorities(&host.value, ports)).collect()
}

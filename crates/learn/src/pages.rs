//! The pages that are known, for operators.

use crate::clock::Tick;
use crate::decay::Decay;
use crate::estimate::scale;
use crate::networks::networks_needed;
use crate::node::Node;
use crate::nodes::Nodes;
use crate::sites::Sites;

/// The evidence on all sites' pages.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Pages {
    /// Pages that have passed the network gate, the heaviest first.
    pub shown: Vec<PageWeight>,
    /// How many have passed it, listed or not.
    pub passed: usize,
    /// How many have not: too few networks have loaded them to be named.
    pub hidden: usize,
}

/// A page that has passed the network gate.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PageWeight {
    /// Authority of its site.
    pub authority: Box<str>,
    /// Its path, and its query if that makes it a page of its own.
    pub path: Box<str>,
    /// N: the decayed number of visits that count.
    pub weight: f32,
    /// Their number without decay.
    pub visits: u32,
    /// Assets seen on it, named or not.
    pub assets: usize,
}

/// The heaviest pages, at most `max` of them. `min_networks` is the gate: a snapshot may hold names that passed
/// a lower one.
pub(crate) fn pages(
    nodes: &Nodes,
    sites: &Sites,
    (decay, tick): (Decay, Tick),
    min_networks: u32,
    max: usize,
) -> Pages {
    let known = nodes.iter().filter(|node| node.level.is_page() && !node.is_gone(2.min(min_networks)));
    let (shown, hidden): (Vec<_>, Vec<_>) = known.partition(|node| is_named(node, min_networks));
    let mut weighed: Vec<_> =
        shown.iter().map(|node| (node.visits.total() as f32 * scale(node, decay, tick), *node)).collect();
    weighed.sort_unstable_by(|(a, a_node), (b, b_node)| b.total_cmp(a).then(a_node.name.cmp(&b_node.name)));
    let names = sites.names();
    let listed = weighed.into_iter().take(max).filter_map(|(weight, node)| {
        Some(PageWeight {
            authority: names.get(usize::from(node.site))?.clone(),
            path: node.name.clone()?,
            weight,
            visits: node.count,
            assets: node.edges.len(),
        })
    });
    Pages { shown: listed.collect(), passed: shown.len(), hidden: hidden.len() }
}

/// Whether the name of a node may be shown.
pub(crate) fn is_named(node: &Node, min_networks: u32) -> bool {
    node.name.is_some() && node.networks.at_least() >= networks_needed(min_networks, node.personal)
}

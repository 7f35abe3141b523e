//! The pages that are known, for operators.

use crate::clock::Tick;
use crate::estimate::scale;
use crate::level::Level;
use crate::model::Model;
use crate::node::Node;
use crate::sites::Sites;

/// What is known of all sites' pages.
#[derive(Clone, Debug, Default, PartialEq)]
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
#[non_exhaustive]
pub struct PageWeight {
    /// Authority of its site.
    pub authority: Box<str>,
    /// Its path.
    pub path: Box<str>,
    /// N: the decayed number of visits that count.
    pub weight: f32,
    /// Their number without decay.
    pub visits: u32,
    /// Assets seen on it, named or not.
    pub assets: usize,
}

impl Model {
    /// The heaviest pages, at most `max` of them.
    pub(crate) fn pages(&self, max: usize, tick: Tick, sites: &Sites) -> Pages {
        let pages = self.nodes.iter().filter(|(_, node)| node.level == Level::Page && !node.gone);
        let (shown, hidden): (Vec<_>, Vec<_>) = pages.map(|(_, node)| node).partition(|node| self.is_named(node));
        let mut weighed: Vec<_> =
            shown.iter().map(|node| (node.weight * scale(node, self.decay, tick), *node)).collect();
        weighed.sort_unstable_by(|(a, a_node), (b, b_node)| b.total_cmp(a).then(a_node.name.cmp(&b_node.name)));
        let names = sites.names();
        let listed = weighed.into_iter().take(max).filter_map(|(weight, node)| {
            Some(PageWeight {
                authority: names.get(usize::from(node.site))?.clone(),
                path: node.name.clone()?,
                weight,
                visits: node.visits,
                assets: node.edges.len(),
            })
        });
        Pages { shown: listed.collect(), passed: shown.len(), hidden: hidden.len() }
    }

    /// Whether the name of a node may be shown. A snapshot may hold names that passed a lower gate.
    pub(crate) fn is_named(&self, node: &Node) -> bool {
        node.name.is_some() && node.networks.at_least() >= self.limits.min_networks
    }
}

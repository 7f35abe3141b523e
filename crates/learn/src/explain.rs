//! Why a page's plan is what it is.

use crate::config::Config;
use crate::destination::Destination;
use crate::estimate::scale;
use crate::level::Level;
use crate::model::{Chain, Model};
use crate::observation::ClientClass;
use crate::pages::is_named;
use crate::planner::{Now, decide};
use crate::stats::PageReasons;
use crate::sync::Arc;
use crate::verdict::Verdict;

/// Everything known of a page that has passed the network gate.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Explanation {
    /// How much is known of the page.
    pub state: Knowledge,
    /// Whether the page itself has passed the network gate. If not, what its own visits say of
    /// it should be shown to nobody but who explains on the machine itself.
    pub named: bool,
    /// The levels that know the page, from coarse to fine.
    pub levels: Vec<LevelWeight>,
    /// The assets that may be shown, the likeliest first.
    pub assets: Vec<AssetWeight>,
    /// How many assets are not shown, as too few networks have asked for them.
    pub hidden: usize,
    /// Why visits and assets of the page taught nothing, by reason.
    pub reasons: PageReasons,
}

/// How much is known of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Knowledge {
    /// Too few networks have loaded its assets.
    FewNetworks {
        /// At least so many have.
        networks: u32,
        /// See [`Config::min_networks`](crate::Config::min_networks).
        needed: u32,
    },
    /// Too few visits have counted.
    FewVisits {
        /// So many have.
        visits: u32,
        /// See [`Config::min_visits`](crate::Config::min_visits).
        needed: u32,
    },
    /// There is evidence of it, or of pages like it.
    Known,
    /// Neither it nor any page like it has been visited.
    #[default]
    Unknown,
    /// Its first visit has not been learned yet: it is still open.
    VisitOpen,
}

/// The visits behind one level of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LevelWeight {
    /// The level.
    pub level: Level,
    /// N: the decayed number of visits that count.
    pub weight: f32,
    /// Their number without decay.
    pub visits: u32,
}

/// The evidence for one asset of a page.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AssetWeight {
    /// The path with its query.
    pub path: Arc<str>,
    /// The destination that it is fetched as.
    pub destination: Destination,
    /// Length of the body in bytes; 0 if unknown.
    pub bytes: u64,
    /// h: decayed visits to the page that fetched it.
    pub hits: f32,
    /// m: decayed visits to the page on which its absence is no evidence.
    pub mute: f32,
    /// n: decayed visits to the page that say whether it is needed.
    pub effective: f32,
    /// p: the chance that a client with an empty cache needs it, 0 to 1.
    pub probability: f32,
    /// The lower bound of p that decides, 0 to 1.
    pub lower_bound: f32,
    /// About how many networks asked for it.
    pub networks: u32,
    /// Mean number of assets asked for before it.
    pub rank: f32,
    /// The decision.
    pub verdict: Verdict,
}

/// Why the plan of a page is what it is.
pub(crate) fn explain(model: &Model, chain: &Chain, config: &Config, now: Now, class: ClientClass) -> Explanation {
    let nodes = model.nodes_of(chain);
    let finest = nodes.last().filter(|node| node.level.is_page());
    let named = finest.is_some_and(|node| is_named(node, config.min_networks()));
    let levels = nodes.iter().map(|node| LevelWeight {
        level: node.level,
        weight: node.visits.total() as f32 * scale(node, model.decay(), now.tick),
        visits: node.count,
    });
    let decided = decide(&nodes, model.assets(), config, (model.decay(), now.tick), class);
    let known = nodes.iter().map(|node| node.edges.len()).max().unwrap_or(0);
    let visits = nodes.iter().map(|node| node.count).max().unwrap_or(0);
    let networks = nodes.iter().map(|node| node.networks.at_least()).max().unwrap_or(0);
    let state = if visits < config.min_visits() {
        Knowledge::FewVisits { visits, needed: config.min_visits() }
    } else if networks < config.min_networks() {
        Knowledge::FewNetworks { networks, needed: config.min_networks() }
    } else {
        Knowledge::Known
    };
    let hidden = known.saturating_sub(decided.len());
    let assets = decided.into_iter().filter_map(|(estimate, shown, verdict)| {
        let metadata = shown.metadata()?;
        Some(AssetWeight {
            path: Arc::clone(&shown.path),
            destination: metadata.destination,
            bytes: metadata.bytes,
            hits: estimate.hits,
            mute: estimate.mute,
            effective: estimate.effective,
            probability: estimate.probability,
            lower_bound: estimate.lower_bound,
            networks: estimate.networks.estimate(),
            rank: estimate.rank,
            verdict,
        })
    });
    let reasons = PageReasons::default();
    Explanation { state, named, levels: levels.collect(), assets: assets.collect(), hidden, reasons }
}

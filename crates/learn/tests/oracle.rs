//! The learner against a naive one that keeps every visit and computes by definition.

#[path = "oracle/definition.rs"]
mod definition;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use definition::{Evidence, Remembered};
use headstart_learn::*;
use proptest::prelude::*;
use support::*;

const PAGES: [&str; 6] = ["/", "/about", "/blog/1", "/blog/2", "/blog/x/7", "/shop/a-name-of-more-than-20-bytes"];
const ASSETS: [&str; 5] = ["/a.css", "/b.js", "/c.png", "/d.woff2", "/e.js"];
const MIN_NETWORKS: u32 = 2;
const VOTE_SECONDS: u64 = 600;

/// One visit to be made: indices into the tables above.
#[derive(Clone, Debug)]
struct Step {
    page: usize,
    fetched: Vec<usize>,
    delivered: Vec<(usize, Delivery)>,
    network: u64,
    /// Seconds that pass after it.
    pause: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop_oneof![Just(Delivery::Held), Just(Delivery::Hinted), Just(Delivery::Pushed)];
    let asset = 0..ASSETS.len();
    (
        0..PAGES.len(),
        prop::collection::vec(asset.clone(), 0..6),
        prop::collection::vec((asset, how), 0..3),
        // Up to four are counted exactly.
        0u64..4,
        prop_oneof![Just(1u64), 16..100u64, 1_000..9_000u64],
    )
        .prop_map(|(page, fetched, delivered, network, pause)| Step { page, fetched, delivered, network, pause })
}

#[derive(Default)]
struct Naive {
    visits: Vec<Remembered>,
    /// By network, page, and whether the view asked for nothing but what it was sent.
    votes: BTreeMap<(u64, usize, bool), u64>,
}

impl Naive {
    fn learn(&mut self, step: &Step, seconds: u64) {
        let hinted: BTreeSet<usize> =
            step.delivered.iter().filter(|(_, how)| *how == Delivery::Hinted).map(|(asset, _)| *asset).collect();
        let mut fetched = Vec::new();
        for asset in &step.fetched {
            if !fetched.contains(asset) {
                fetched.push(*asset);
            }
        }
        let unasked = step.delivered.iter().any(|(asset, how)| match how {
            Delivery::Held => true,
            Delivery::Pushed => !hinted.contains(asset),
            Delivery::Hinted => false,
        });
        if fetched.is_empty() && !unasked {
            return;
        }
        let assisted = step.delivered.iter().any(|(_, how)| *how != Delivery::Held);
        let says_nothing = assisted && fetched.iter().all(|asset| hinted.contains(asset));
        let vote = (step.network, step.page, says_nothing);
        if self.votes.get(&vote).is_some_and(|cast| seconds - cast < VOTE_SECONDS) {
            return;
        }
        self.votes.insert(vote, seconds);
        let delivered = step.delivered.iter().map(|(asset, _)| *asset);
        let mute = delivered.filter(|asset| hinted.contains(asset) || !fetched.contains(asset));
        self.visits.push(Remembered {
            seconds: seconds as f64,
            page: step.page,
            network: step.network,
            mute: mute.collect(),
            hits: fetched,
            assisted,
        });
        let last = self.visits.last_mut().expect("just pushed");
        last.hits.retain(|asset| !hinted.contains(asset));
    }

    /// h and m of the page itself, and the most networks of a level that asked for the asset.
    fn weigh(&self, page: &str, asset: usize, now: f64) -> (f64, f64, usize) {
        let mut result = (0.0, 0.0, 0);
        for level in levels(page) {
            let (mut hits, mut mute, mut known) = (0.0, 0.0, false);
            let mut networks = BTreeSet::new();
            for visit in self.visits.iter().filter(|visit| level(PAGES[visit.page]) == level(page)) {
                let weight = (-(now - visit.seconds) / 86_400.0).exp2();
                if visit.hits.contains(&asset) {
                    known = true;
                    hits += weight;
                    networks.insert(visit.network);
                }
                // Before a page has needed it at all its absence says nothing anyway.
                mute += if known && visit.mute.contains(&asset) { weight } else { 0.0 };
            }
            result = (hits, mute, result.2.max(networks.len()));
        }
        result
    }
}

impl Naive {
    /// p by definition, with thresholds moved by `slack`.
    fn probability(&self, page: &str, asset: usize, (start, now): (u64, f64), slack: f64) -> f64 {
        const KAPPA: f64 = 0.5;
        let (mut p, mut birth) = (0.0, 0);
        let levels = levels(page);
        for (depth, level) in levels.iter().enumerate() {
            let of_level = |visit: &&Remembered| level(PAGES[visit.page]) == level(page);
            let visits: Vec<&Remembered> = self.visits.iter().filter(of_level).collect();
            if visits.is_empty() {
                continue;
            }
            let first = visits.iter().find(|visit| visit.hits.contains(&asset)).map(|visit| visit.second());
            birth = first.unwrap_or(birth);
            let evidence = Evidence { visits, asset, birth, known: first.is_some(), start, slack };
            let (h, n) = if depth + 1 == levels.len() { evidence.of_visits(now) } else { evidence.of_pages() };
            p = (h + KAPPA * p) / (n + KAPPA);
        }
        p
    }
}

/// The levels of a page from coarse to fine, by the names that pages have there.
fn levels(page: &str) -> Vec<fn(&str) -> String> {
    let mut levels: Vec<fn(&str) -> String> = vec![section];
    if template(page) != page {
        levels.push(template);
    }
    levels.push(str::to_owned);
    levels
}

fn template(page: &str) -> String {
    let star = |segment: &str| segment.len() > 20 || segment.contains(|c: char| c.is_ascii_digit() || c == '%');
    let segments = page.split('/').map(|segment| if star(segment) { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn section(page: &str) -> String {
    let segments: Vec<&str> = page.split('/').collect();
    format!("{} {}", if segments.len() > 2 { segments[1] } else { "" }, segments.len())
}

fn check(steps: &[Step], asked: &str) {
    let mut world = World::new(config(MIN_NETWORKS));
    let mut naive = Naive::default();
    let start = world.now;
    for step in steps {
        let fetched: Vec<&str> = step.fetched.iter().map(|asset| ASSETS[*asset]).collect();
        let delivered: Vec<(&str, Delivery)> =
            step.delivered.iter().map(|(asset, how)| (ASSETS[*asset], *how)).collect();
        let seconds = (world.now - start) / SECOND;
        let page = PAGES[step.page];
        world.view(&View { page, assets: &fetched, network: step.network, delivered: &delivered });
        naive.learn(step, seconds);
        world.pass(step.pause * SECOND);
    }
    let now = (world.now - start) as f64 / 1000.0;
    assert_eq!(world.learner.stats().learned, naive.visits.len() as u64, "{:?}", world.learner.stats());
    let explanation = world.explain(asked);
    let planned = world.planned(asked);
    for known in &explanation.assets {
        let asset = ASSETS.iter().position(|path| **path == *known.path).expect("one of ours");
        let (h, m, networks) = naive.weigh(asked, asset, now);
        // Weights are whole numbers of a sixteenth of a visit at least.
        let close = |a: f32, b: f64| (f64::from(a) - b).abs() <= 0.04 * (1.0 + b);
        assert!(close(known.hits, h) && close(known.mute, m), "{known:?} {h} {m}");
        // Rounding may put it on the other side of a threshold.
        let when = (start / SECOND, now);
        let p = [0.0, 0.01, -0.01].map(|slack| naive.probability(asked, asset, when, slack));
        assert!(p.iter().any(|p| (f64::from(known.probability) - p).abs() < 0.01), "{known:?} {p:?}");
        // Up to three are counted exactly, and more at least as three.
        assert!(known.networks as usize >= networks.min(3), "{known:?} {networks}");
        assert!((0.0..=1.0).contains(&known.probability) && known.lower_bound <= known.probability, "{known:?}");
        let is_planned = planned.iter().any(|path| **path == *known.path);
        assert_eq!(is_planned, known.verdict == Verdict::Planned, "{known:?}");
        assert!(!is_planned || (networks >= MIN_NETWORKS as usize && known.lower_bound >= 0.25), "{known:?}");
    }
    assert!(planned.iter().all(|path| explanation.assets.iter().any(|asset| *asset.path == **path)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn same_as_naive(steps in prop::collection::vec(step(), 1..40), asked in 0..PAGES.len()) {
        check(&steps, PAGES[asked]);
    }

    #[test]
    fn same_as_naive_on_a_page_never_seen(steps in prop::collection::vec(step(), 1..40)) {
        check(&steps, "/blog/99");
    }

    #[test]
    fn a_snapshot_changes_nothing(steps in prop::collection::vec(step(), 1..20), more in prop::collection::vec(step(), 0..10)) {
        let run = |world: &mut World, steps: &[Step]| {
            for step in steps {
                let assets: Vec<&str> = step.fetched.iter().map(|asset| ASSETS[*asset]).collect();
                world.view(&View { page: PAGES[step.page], assets: &assets, network: step.network, delivered: &[] });
                world.pass(step.pause * SECOND);
            }
        };
        let settings = eager(MIN_NETWORKS);
        let mut one = World::new(settings.clone());
        run(&mut one, &steps);
        let bytes = one.learner.snapshot(one.time());
        let mut two = World::with(Learner::restore(settings, &bytes).expect("an unharmed snapshot"));
        two.now = one.now;
        run(&mut one, &more);
        run(&mut two, &more);
        for page in PAGES {
            let (a, b) = (one.explain(page), two.explain(page));
            prop_assert_eq!(a.assets.len(), b.assets.len());
            for (a, b) in a.assets.iter().zip(&b.assets) {
                prop_assert!((a.probability - b.probability).abs() < 1e-3, "{:?} {:?}", a, b);
            }
        }
    }
}

//! What to send early for a page, in order of need.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use crate::asset::Freshness;
use crate::destination::Destination;
use crate::directory::{Directory, Shown};
use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering};
use crate::time::Time;

/// The candidates for a page, the one needed first in front. A cheap clone of what
/// was published; it does not change once taken.
#[derive(Clone, Default)]
pub struct Plan {
    published: Option<Arc<Published>>,
}

/// An asset that the page is likely to pull in.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The path with its query.
    pub path: Arc<str>,
    /// What it is fetched as.
    pub destination: Destination,
    /// Whether it is fetched with request mode `cors`.
    pub cors: bool,
    /// Length of the body in bytes; 0 if unknown.
    pub bytes: u64,
    /// The caller's hash of what tells versions apart; 0 if unknown.
    pub validator: u64,
    /// How long its last response may be used.
    pub freshness: Freshness,
    /// The chance that a client with nothing in its cache needs it on this page.
    pub probability: f32,
    /// That chance less what little evidence leaves open; see [`Config::z`](crate::Config::z).
    pub lower_bound: f32,
    /// How urgent the clients that fetch it without a hint find it (RFC 9218), 0 to 7, by vote.
    pub urgency: Option<u8>,
    /// How long after the navigation it is asked for, on average.
    pub delay: Duration,
}

/// An asset that a client may hold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// The path with its query.
    pub path: Arc<str>,
    /// The caller's hash of what tells versions apart; 0 if unknown.
    pub validator: u64,
    pub(crate) hash: u64,
}

impl Plan {
    /// The candidates in the order in which clients ask for them.
    pub fn candidates(&self) -> &[Candidate] {
        self.published.as_ref().map_or(&[], |published| &published.candidates)
    }

    /// Every asset that the page is known to need now and then and that may be shown, planned or
    /// not: what a client may hold.
    pub fn known(&self) -> &[Known] {
        self.published.as_ref().map_or(&[], |published| &published.known)
    }

    /// The chance with which a view of the page should be held out, as far as the page goes;
    /// [`Learner::holdout_chance`](crate::Learner::holdout_chance) bounds it for the site.
    pub fn holdout_chance(&self) -> f32 {
        self.published.as_ref().map_or(0.0, |_| 1.0 / 32.0)
    }
}

impl Deref for Plan {
    type Target = [Candidate];

    fn deref(&self) -> &[Candidate] {
        self.candidates()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.candidates()).finish()
    }
}

impl From<Arc<Published>> for Plan {
    fn from(published: Arc<Published>) -> Self {
        Self { published: Some(published) }
    }
}

/// A plan that waits to be taken.
#[derive(Debug)]
pub(crate) struct Published {
    candidates: Box<[Candidate]>,
    /// Where the metadata of each candidate comes from.
    sources: Box<[Arc<Shown>]>,
    known: Box<[Known]>,
    built: Time,
    /// The version of the directory that the metadata was compared with.
    version: AtomicU64,
    stale: AtomicBool,
    taken: AtomicBool,
}

/// A plan is built anew after this time, since the opinion of coarser levels and
/// the age of the evidence change it even without a visit.
const REFRESH: Duration = Duration::from_secs(60);

impl Published {
    /// A plan of the assets in `chosen`, each with probability and lower bound, in order.
    pub(crate) fn new(chosen: impl IntoIterator<Item = (Arc<Shown>, f32, f32)>, built: Time, version: u64) -> Self {
        let mut candidates = Vec::new();
        let mut sources = Vec::new();
        let mut known = Vec::new();
        for (shown, probability, lower_bound) in chosen {
            let Some(metadata) = shown.metadata() else { continue };
            candidates.push(Candidate {
                path: Arc::clone(&shown.path),
                destination: metadata.destination,
                cors: metadata.cors,
                bytes: metadata.bytes,
                validator: metadata.validator,
                freshness: metadata.freshness,
                probability,
                lower_bound,
                urgency: None,
                delay: Duration::ZERO,
            });
            known.push(Known { path: Arc::clone(&shown.path), validator: metadata.validator, hash: shown.hash });
            sources.push(shown);
        }
        Self {
            candidates: candidates.into(),
            sources: sources.into(),
            known: known.into(),
            built,
            version: AtomicU64::new(version),
            stale: AtomicBool::new(false),
            taken: AtomicBool::new(true),
        }
    }

    /// Whether evidence or time has passed over this plan.
    pub(crate) fn is_stale(&self, now: Time) -> bool {
        let age = now.saturating_since(self.built).max(self.built.saturating_since(now));
        age >= REFRESH || self.stale.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// Marks the plan as wanted, and says whether it was since this was last cleared.
    pub(crate) fn touch(&self) {
        if !self.taken.load(Ordering::Relaxed) {
            self.taken.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn clear_touch(&self) -> bool {
        self.taken.swap(false, Ordering::Relaxed)
    }

    /// The same plan with the metadata of now, if it has changed.
    pub(crate) fn renewed(&self, directory: &Directory) -> Option<Self> {
        let version = directory.version();
        if self.version.load(Ordering::Acquire) == version {
            return None;
        }
        let pairs = || self.candidates.iter().zip(&self.sources);
        let current = |(candidate, shown): (&Candidate, &Arc<Shown>)| {
            shown.metadata().is_some_and(|now| {
                candidate.destination == now.destination
                    && candidate.cors == now.cors
                    && candidate.bytes == now.bytes
                    && candidate.validator == now.validator
                    && candidate.freshness == now.freshness
            })
        };
        if pairs().all(current) {
            self.version.store(version, Ordering::Release);
            return None;
        }
        let chosen = pairs().map(|(c, shown)| (Arc::clone(shown), c.probability, c.lower_bound));
        let renewed = Self::new(chosen, self.built, version);
        // What has taken the place of an asset that is gone is for the model to say.
        let lost = renewed.candidates.len() < self.candidates.len();
        renewed.stale.store(lost || self.stale.load(Ordering::Relaxed), Ordering::Relaxed);
        Some(renewed)
    }

    /// The same plan without the asset of this hash, if it has that.
    pub(crate) fn without(&self, hash: u64) -> Option<Self> {
        if self.sources.iter().all(|shown| shown.hash != hash) {
            return None;
        }
        let pairs = self.candidates.iter().zip(&self.sources).filter(|(_, shown)| shown.hash != hash);
        let chosen = pairs.map(|(c, shown)| (Arc::clone(shown), c.probability, c.lower_bound));
        Some(Self::new(chosen, self.built, self.version.load(Ordering::Acquire)))
    }

    /// Bytes of heap, without the assets, which the model counts.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.candidates.len() * (size_of::<Candidate>() + size_of::<Arc<Shown>>()) + 64
    }
}

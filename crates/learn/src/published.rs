//! A plan that waits to be taken.

use std::time::Duration;

use crate::candidate::{Candidate, Known};
use crate::directory::{Directory, Shown};
use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering};
use crate::time::Time;

/// A plan that waits to be taken.
#[derive(Debug)]
pub(crate) struct Published {
    candidates: Box<[Candidate]>,
    /// The source of each candidate's metadata.
    sources: Box<[Arc<Shown>]>,
    known: Box<[Known]>,
    holdout_chance: f32,
    built: Time,
    /// The version of the directory that the metadata was compared with.
    version: AtomicU64,
    stale: AtomicBool,
    taken: AtomicBool,
}

/// The decision on a candidate, besides its metadata.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) probability: f32,
    pub(crate) lower_bound: f32,
    pub(crate) urgency: Option<u8>,
}

/// A plan is built anew after this time, since the opinion of coarser levels and
/// the age of the evidence change it even without a visit.
const REFRESH: Duration = Duration::from_secs(60);

impl Published {
    /// A plan of the assets in `chosen`, in order; a client may hold those in `known`, of which is told whether there is
    /// evidence.
    pub(crate) fn new(
        chosen: impl IntoIterator<Item = (Arc<Shown>, Choice)>,
        known: impl IntoIterator<Item = (Arc<Shown>, bool)>,
        holdout_chance: f32,
        (built, version): (Time, u64),
    ) -> Self {
        let mut candidates = Vec::new();
        let mut sources = Vec::new();
        for (shown, choice) in chosen {
            let Some(metadata) = shown.metadata() else { continue };
            candidates.push(Candidate {
                path: Arc::clone(&shown.path),
                destination: metadata.destination,
                cors: metadata.cors,
                bytes: metadata.bytes,
                validator: metadata.validator,
                freshness: metadata.freshness,
                probability: choice.probability,
                lower_bound: choice.lower_bound,
                urgency: choice.urgency,
            });
            sources.push(shown);
        }
        let known = known.into_iter().filter_map(|(shown, has_evidence)| {
            let validator = shown.metadata()?.validator;
            Some(Known { path: Arc::clone(&shown.path), validator, has_evidence, hash: shown.hash })
        });
        Self {
            candidates: candidates.into(),
            sources: sources.into(),
            known: known.collect(),
            holdout_chance,
            built,
            version: AtomicU64::new(version),
            stale: AtomicBool::new(false),
            taken: AtomicBool::new(true),
        }
    }

    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    pub(crate) fn known(&self) -> &[Known] {
        &self.known
    }

    pub(crate) fn holdout_chance(&self) -> f32 {
        self.holdout_chance
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
        let current = |(candidate, shown): (&Candidate, &Arc<Shown>)| {
            shown.metadata().is_some_and(|now| {
                candidate.destination == now.destination
                    && candidate.cors == now.cors
                    && candidate.bytes == now.bytes
                    && candidate.validator == now.validator
                    && candidate.freshness == now.freshness
            })
        };
        if self.candidates.iter().zip(&self.sources).all(current) {
            self.version.store(version, Ordering::Release);
            return None;
        }
        let renewed = self.with(|_| true, version);
        // The model knows what has taken the place of an asset that is gone.
        let lost = renewed.candidates.len() < self.candidates.len();
        renewed.stale.store(lost || self.stale.load(Ordering::Relaxed), Ordering::Relaxed);
        Some(renewed)
    }

    /// The same plan without the asset of this hash, if it has that.
    pub(crate) fn without(&self, hash: u64) -> Option<Self> {
        if self.sources.iter().all(|shown| shown.hash != hash) && self.known.iter().all(|known| known.hash != hash) {
            return None;
        }
        Some(self.with(|shown| shown != hash, self.version.load(Ordering::Acquire)))
    }

    /// Bytes of heap, without the assets, which the model counts.
    pub(crate) fn bytes(&self) -> usize {
        let candidate = size_of::<Candidate>() + size_of::<Arc<Shown>>();
        size_of::<Self>() + self.candidates.len() * candidate + self.known.len() * size_of::<Known>() + 64
    }

    /// The same plan with the metadata of now, and with the assets that `keep` keeps by hash.
    fn with(&self, keep: impl Fn(u64) -> bool, version: u64) -> Self {
        let pairs = self.candidates.iter().zip(&self.sources).filter(|(_, shown)| keep(shown.hash));
        let chosen = pairs.map(|(c, shown)| {
            let choice = Choice { probability: c.probability, lower_bound: c.lower_bound, urgency: c.urgency };
            (Arc::clone(shown), choice)
        });
        let mut new = Self::new(chosen, [], self.holdout_chance, (self.built, version));
        let validator = |known: &Known| {
            let shown = self.sources.iter().find(|shown| shown.hash == known.hash);
            shown.and_then(|shown| shown.metadata()).map_or(known.validator, |metadata| metadata.validator)
        };
        let known = self.known.iter().filter(|known| keep(known.hash));
        new.known = known.map(|known| Known { validator: validator(known), ..known.clone() }).collect();
        new
    }
}

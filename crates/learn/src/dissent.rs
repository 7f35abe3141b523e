//! The vote of many clients on an asset's destination.

use crate::destination::Destination;
use crate::directory::{Directory, Shown};
use crate::metadata::Metadata;
use crate::networks::Networks;

/// Fetches of a shown asset as something else than it is shown as.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dissent {
    /// The destination and mode that it is shown with.
    shown_as: (Destination, bool),
    fetched_as: (Destination, bool),
    networks: Networks,
    /// Votes for it and against it since the first.
    votes: (u8, u8),
}

impl Dissent {
    /// None, of an asset that is shown as this.
    pub(crate) fn of(metadata: Metadata) -> Self {
        Self { shown_as: (metadata.destination, metadata.cors), ..Self::default() }
    }

    /// Whether it was fetched as what it is shown as, and nobody has ever said otherwise: then there is no vote.
    #[inline]
    pub(crate) fn agrees(&self, metadata: &Metadata) -> bool {
        self.votes.0 == 0 && (metadata.destination, metadata.cors) == self.shown_as
    }

    /// Takes in what a network fetched the asset with this hash as: what it is shown as changes when enough
    /// networks, and more of the votes since the first, say so.
    pub(crate) fn vote(
        &mut self,
        shown: &Shown,
        metadata: Metadata,
        (network, hash): (u64, u64),
        min_networks: u32,
        directory: &Directory,
    ) {
        let fetched_as = (metadata.destination, metadata.cors);
        if fetched_as == self.shown_as {
            self.votes.1 = self.votes.1.saturating_add(1);
            return;
        }
        if self.fetched_as != fetched_as || self.votes.0 == 0 {
            *self = Self { fetched_as, shown_as: self.shown_as, ..Self::default() };
        }
        self.networks.add(network, hash);
        self.votes.0 = self.votes.0.saturating_add(1);
        if self.networks.at_least() >= min_networks && self.votes.0 > self.votes.1 {
            directory.set_fetched_as(shown, fetched_as.0, fetched_as.1);
            *self = Self::of(metadata);
        }
    }
}

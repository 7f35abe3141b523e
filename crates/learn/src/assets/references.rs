//! What points to assets, and how long they stay.

use super::{Asset, AssetId, Assets, Fate};

/// The assets of the visit that is being learned.
///
/// Counting a reference for each of them, twice a visit, would cost more than all else that is done with the table. What
/// loses its last reference meanwhile is put on a list, and forgotten when the visit has been learned.
#[derive(Debug, Default)]
pub(super) struct Pins {
    pinned: Vec<AssetId>,
    /// Those to which nothing pointed at some time since.
    loose: Vec<AssetId>,
}

impl Pins {
    #[inline]
    fn add(&mut self, id: AssetId, asset: &Asset) -> u64 {
        self.pinned.push(id);
        if asset.refs == 0 {
            self.loose.push(id);
        }
        asset.stem
    }
}

/// A list that has been longer than this gives its memory back.
const USUAL: usize = 1024;

impl Assets {
    /// An edge to the asset was added.
    pub(crate) fn retain(&mut self, id: AssetId) -> Option<&Asset> {
        let entry = self.entries.get_mut(id)?;
        entry.refs = entry.refs.saturating_add(1);
        Some(entry)
    }

    /// An edge to the asset was dropped.
    pub(crate) fn release(&mut self, id: AssetId) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.refs = entry.refs.saturating_sub(1);
        if entry.refs > 0 {
            return;
        }
        if self.pins.pinned.is_empty() {
            self.sweep(id);
        } else {
            self.pins.loose.push(id);
        }
    }

    /// The asset stays until [`unpin`](Self::unpin), whatever points to it. Returns its stem.
    pub(crate) fn pin(&mut self, id: AssetId) -> u64 {
        self.entries.get(id).map_or(0, |entry| self.pins.add(id, entry))
    }

    /// Pins an asset if it is the one with this hash. Returns it with its stem.
    #[inline]
    pub(crate) fn pin_if(&mut self, id: AssetId, hash: u64) -> Option<(AssetId, u64)> {
        let entry = self.entries.get(id).filter(|asset| asset.hash == hash && !asset.is_renamed())?;
        Some((id, self.pins.add(id, entry)))
    }

    /// Lets go what was pinned: that to which nothing points is forgotten.
    pub(crate) fn unpin(&mut self) {
        self.pins.pinned.clear();
        for at in 0..self.pins.loose.len() {
            if let Some(id) = self.pins.loose.get(at) {
                self.sweep(*id);
            }
        }
        self.pins.loose.clear();
        self.pins.pinned.shrink_to(USUAL);
        self.pins.loose.shrink_to(USUAL);
    }

    /// Forgets what has lost its last reference and is not pinned, so that there is room at once.
    pub(crate) fn sweep_loose(&mut self) {
        if self.pins.loose.is_empty() {
            return;
        }
        let pinned = std::mem::take(&mut self.pins.pinned);
        for id in &pinned {
            self.retain(*id);
        }
        let loose = std::mem::take(&mut self.pins.loose);
        for id in loose {
            self.sweep(id);
        }
        for id in &pinned {
            let Some(entry) = self.entries.get_mut(*id) else { continue };
            entry.refs = entry.refs.saturating_sub(1);
            if entry.refs == 0 {
                self.pins.loose.push(*id);
            }
        }
        self.pins.pinned = pinned;
    }

    /// Forgets the asset, and those that it was renamed to, if nothing points to it.
    pub(crate) fn sweep(&mut self, id: AssetId) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            if self.entries.get(id).is_none_or(|entry| entry.refs > 0) {
                return;
            }
            let Some(entry) = self.entries.remove(id) else { return };
            self.unmap(id, &entry);
            if let Some(shown) = &entry.shown {
                self.shown -= 1;
                self.shown_bytes -= shown.bytes();
                self.directory.remove(shown);
            }
            if let Fate::RenamedTo(heir) = entry.fate {
                if let Some(heir) = self.entries.get_mut(heir) {
                    heir.refs = heir.refs.saturating_sub(1);
                }
                next = Some(heir);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use crate::sync::Arc;

    fn table() -> (Assets, [AssetId; 3]) {
        let mut assets = Assets::new(8, 1, Arc::new(Directory::new(1)), 1);
        let ids = [10, 20, 30].map(|hash| assets.add(Asset::new(hash, 0, 0, 7)).unwrap());
        (assets, ids)
    }

    #[test]
    fn what_is_pinned_stays_until_the_end_though_nothing_points_to_it() {
        let (mut assets, [kept, lost, new]) = table();
        for id in [kept, lost] {
            assets.retain(id);
        }
        for id in [kept, lost, new] {
            assert_eq!(assets.pin(id), 0);
        }
        assets.release(lost);
        assets.sweep_loose();
        assert_eq!((assets.counts().0, assets.find(20), assets.find(30)), (3, Some(lost), Some(new)));
        assets.retain(new);
        assets.unpin();
        assert_eq!((assets.find(10), assets.find(20), assets.find(30)), (Some(kept), None, Some(new)));
        assets.release(kept);
        assert_eq!(assets.counts().0, 1, "without pins it goes at once");
    }

    #[test]
    fn what_is_not_pinned_makes_room_while_others_are() {
        let (mut assets, [pinned, other, third]) = table();
        for id in [pinned, other, third] {
            assets.retain(id);
        }
        assets.pin(pinned);
        assets.release(other);
        assert_eq!(assets.counts().0, 3);
        assets.sweep_loose();
        assert_eq!((assets.counts().0, assets.find(20)), (2, None));
        assets.release(pinned);
        assets.retain(pinned);
        assets.release(pinned);
        assets.unpin();
        assert_eq!((assets.counts().0, assets.find(10)), (1, None), "it is forgotten once");
    }
}

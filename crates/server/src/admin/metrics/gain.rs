//! Metrics of what the help is worth: at this server, and in its fleet.

use std::fmt;

use super::super::gain::Gain;
use super::super::sources::Sources;
use super::families::Families;

/// Those of [`Gain::at`].
const QUANTILES: [&str; 3] = ["0.5", "0.75", "0.9"];

pub(super) fn write(sources: &Sources, families: &mut Families<'_>) -> fmt::Result {
    let mut scopes = vec![("server", Gain::of(&sources.ledger.all_pages()))];
    scopes.extend(sources.ledger.fleet().map(|sums| ("fleet", Gain::of(&sums.all_pages))));
    let views = scopes.iter().flat_map(|(scope, gain)| {
        [("helped", gain.with.views()), ("held_out", gain.without.views())]
            .map(|(arm, views)| (vec![("scope", *scope), ("arm", arm)], views))
    });
    families.counters("gain_timed_views", "Views that were timed, at this server and in its fleet.", views)?;
    let times = scopes.iter().flat_map(|(scope, gain)| {
        QUANTILES.iter().zip(&gain.at).flat_map(move |(name, found)| {
            let arms = found.iter().flat_map(|found| [("helped", found.helped), ("held_out", found.held_out)]);
            arms.map(move |(arm, seconds)| (vec![("scope", *scope), ("quantile", *name), ("arm", arm)], seconds))
        })
    });
    families.gauges("gain_seconds", "Time from a navigation to the last asset it needed, once enough is known.", times)
}

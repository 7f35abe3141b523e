//! Assets that never occur in one view: variants by a cookie, candidates of a `srcset`.

use crate::estimate::Estimate;

/// Finds alternatives among these: each occurs on a good part of the visits, and one of the others never with it though
/// chance alone would have brought both together twice. Each of the two has to have been asked for, on visits that say
/// something of both, from `gate` networks: one that asks for something else, however often, takes from nobody what
/// the page needs. `networks` are tags of those of the remembered visits, in their order.
pub(crate) fn alternatives(estimates: &[Estimate], networks: &[u8], gate: u32) -> Vec<bool> {
    let has_enough = |visits: u32| {
        let tags = networks.iter().enumerate().filter(|(at, _)| visits >> at & 1 == 1);
        tags.fold(0u64, |tags, (_, tag)| tags | 1 << (tag & 63)).count_ones() >= gate
    };
    let in_doubt: Vec<usize> = estimates
        .iter()
        .enumerate()
        .filter(|(_, e)| (0.15..0.85).contains(&e.probability))
        .map(|(at, _)| at)
        .take(64)
        .collect();
    let mut result = vec![false; estimates.len()];
    for (n, a) in in_doubt.iter().enumerate() {
        for b in in_doubt.iter().skip(n + 1) {
            let (Some(x), Some(y)) = (estimates.get(*a), estimates.get(*b)) else { continue };
            let both = x.told_by & y.told_by;
            let (of_x, of_y) = ((x.fetched_by & both).count_ones(), (y.fetched_by & both).count_ones());
            let expected = of_x as f32 * of_y as f32 / both.count_ones().max(1) as f32;
            let together = x.fetched_by & y.fetched_by & both;
            let is_told = || has_enough(x.fetched_by & both) && has_enough(y.fetched_by & both);
            if together == 0 && expected >= 2.0 && is_told() {
                for at in [*a, *b] {
                    result.get_mut(at).into_iter().for_each(|place| *place = true);
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Manner;
    use crate::networks::Networks;

    /// An asset in doubt, by the visits that say anything of it and those that needed it.
    fn in_doubt(told_by: u32, fetched_by: u32) -> Estimate {
        Estimate {
            asset: 0,
            probability: 0.5,
            lower_bound: 0.4,
            hits: 0.0,
            mute: 0.0,
            effective: 0.0,
            networks: Networks::default(),
            rank: 0.0,
            manner: Manner::default(),
            fetched_by,
            told_by,
            disputed: false,
        }
    }

    #[test]
    fn what_is_never_needed_together_is_an_alternative_once_chance_would_have_it_so_twice() {
        let networks: Vec<u8> = (0..8).collect();
        let alternatives =
            |words: [(u32, u32); 2]| alternatives(&words.map(|(told, fetched)| in_doubt(told, fetched)), &networks, 3);
        assert_eq!(alternatives([(0xff, 0x0f), (0xff, 0xf0)]), [true; 2]);
        assert_eq!(alternatives([(0xff, 0x0f), (0xff, 0xf8)]), [false; 2], "once both were needed");
        assert_eq!(alternatives([(0x7f, 0x0f), (0x7f, 0x70)]), [false; 2], "seven views say too little");
        assert_eq!(alternatives([(0xff, 0x7f), (0xff, 0x80)]), [false; 2], "one view of eight says too little");
    }
    #[test]
    fn both_have_to_be_asked_for_from_as_many_networks_as_the_gate() {
        let both = [in_doubt(0xff, 0x0f), in_doubt(0xff, 0xf0)];
        assert_eq!(alternatives(&both, &[1, 2, 3, 3, 4, 5, 6, 6], 3), [true; 2]);
        assert_eq!(alternatives(&both, &[1, 2, 3, 4, 5, 5, 5, 5], 3), [false; 2], "one network asks for the second");
        assert_eq!(alternatives(&both, &[1, 2, 1, 2, 3, 4, 5, 6], 3), [false; 2], "two ask for the first");
        assert_eq!(alternatives(&both, &[1; 8], 1), [true; 2], "where one is enough");
    }
}

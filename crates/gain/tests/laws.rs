//! Laws of sketches and tables, against the naive way: all observations in a vector.

use std::time::Duration;

use headstart_gain::{Arm, Arms, BINS, Look, Observation, RecordError, Sketch, Strata, Weight, bounds, compare};
use proptest::prelude::*;

fn observation() -> impl Strategy<Value = Observation> {
    (0_u64..200_000_000, 0.001_f32..=1.0, any::<bool>()).prop_map(|(micros, probability, first_of_client)| {
        Observation {
            time: Duration::from_micros(micros),
            weight: Weight::from_probability(probability),
            first_of_client,
        }
    })
}

fn sketch_of(observations: &[Observation]) -> Sketch {
    let mut sketch = Sketch::default();
    for observation in observations {
        sketch.add(observation);
    }
    sketch
}

/// The weighted quantile of the values themselves, in seconds.
fn naive_quantile(observations: &[Observation], share: f64) -> f64 {
    let mut sorted: Vec<_> = observations.iter().map(|o| (o.time, sketch_of(&[*o]).weight())).collect();
    sorted.sort_by_key(|(time, _)| *time);
    let whole: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (time, weight) in &sorted {
        below += weight;
        if below >= share * whole * (1.0 - 1e-12) {
            return time.as_secs_f64();
        }
    }
    unreachable!("the weights add up to the whole");
}

proptest! {
    #[test]
    fn a_merged_sketch_is_that_of_all_observations_in_any_order(
        a in prop::collection::vec(observation(), 0..60),
        b in prop::collection::vec(observation(), 0..60),
    ) {
        let mut together = sketch_of(&a);
        together.merge(&sketch_of(&b));
        let mut reversed: Vec<_> = a.iter().chain(&b).copied().collect();
        reversed.reverse();
        prop_assert_eq!(&together, &sketch_of(&reversed));
        let mut other_way = sketch_of(&b);
        other_way.merge(&sketch_of(&a));
        prop_assert_eq!(together, other_way);
    }

    #[test]
    fn a_record_is_read_as_it_was_written(
        observations in prop::collection::vec((observation(), 0_u8..3, any::<bool>(), any::<u64>()), 0..60),
        rest in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut strata = Strata::<u8>::default();
        for (observation, stratum, held_out, bytes) in &observations {
            let arm = if *held_out { Arm::HeldOut } else { Arm::Helped };
            strata.add(*stratum, arm, observation);
            strata.add_bytes(*stratum, arm, *bytes, observation.weight, observation.first_of_client);
        }
        let mut record = Vec::new();
        strata.write(u64::from, &mut record);
        let cut = record.len().saturating_sub(1);
        let shortened = Strata::<u8>::read(&mut &record[..cut], |code| u8::try_from(code).ok());
        prop_assert_eq!(shortened, Err(RecordError));
        record.extend(&rest);
        let mut input = &record[..];
        let read = Strata::<u8>::read(&mut input, |code| u8::try_from(code).ok());
        prop_assert_eq!(read, Ok(strata));
        prop_assert_eq!(input, &rest[..]);
    }

    #[test]
    fn any_bytes_are_read_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        if let Ok(sketch) = Sketch::read(&mut &bytes[..]) {
            prop_assert!(sketch.bytes() <= 2 * BINS * 10);
            prop_assert!(sketch.effective() <= sketch.views() as f64);
            let _ = (sketch.quantile(0.5), sketch.shares().count());
        }
        let read = Strata::<u8>::read(&mut &bytes[..], |code| u8::try_from(code).ok().filter(|code| *code < 3));
        if let Ok(strata) = read {
            prop_assert!(strata.iter().count() <= 3);
            let _ = (strata.difference(|_| true, 0.5, Look::first()), strata.extra_bytes(|_| true, Look::first()));
        }
    }

    #[test]
    fn a_quantile_lies_in_the_bin_of_the_exact_one(
        observations in prop::collection::vec(observation(), 1..80),
        share in 0.01_f64..0.99,
    ) {
        let sketch = sketch_of(&observations);
        let exact = naive_quantile(&observations, share);
        let found = sketch.quantile(share).unwrap();
        let (low, high) = (0..BINS).map(bounds).find(|(low, high)| *low <= exact * 1.0001 && exact < *high).unwrap_or(bounds(BINS - 1));
        prop_assert!(found >= low * 0.99 && found <= high * 1.01 || exact > bounds(BINS - 1).0, "{exact} {found} {low} {high}");
    }
}

#[test]
fn a_thousand_pages_of_all_strata_stay_below_twenty_mebibytes() {
    let mut bytes = 0;
    for _ in 0..4 {
        let mut strata = Strata::<u8>::default();
        // Times over nine doublings: more bins than real pages have.
        for view in 0..2_400_u64 {
            let arm = if view % 2 == 0 { Arm::Helped } else { Arm::HeldOut };
            let time = Duration::from_millis(40 << (view % 9)) + Duration::from_micros(view * 997);
            let observation = Observation { time, weight: Weight::ONE, first_of_client: true };
            strata.add((view / 2 % 3) as u8, arm, &observation);
        }
        bytes += strata.bytes();
    }
    assert!(bytes * 256 <= 20 << 20, "{} bytes a page", bytes / 4);
}

#[test]
fn an_arm_that_by_chance_got_more_phones_is_not_taken_for_slower() {
    // Phones take three times as long; help changes nothing; the hold-outs have twice their share of phones.
    let mut strata = Strata::<u8>::default();
    let mut pooled = Arms::default();
    for view in 0..40_000_u64 {
        let held_out = view % 4 == 0;
        let phone = if held_out { view % 5 < 2 } else { view % 5 < 1 };
        let base = 300 + view * 7919 % 700;
        let time = Duration::from_millis(if phone { 3 * base } else { base });
        let arm = if held_out { Arm::HeldOut } else { Arm::Helped };
        let weight = Weight::from_probability(if held_out { 0.25 } else { 0.75 });
        let observation = Observation { time, weight, first_of_client: true };
        strata.add(u8::from(phone), arm, &observation);
        pooled.add(arm, &observation);
    }
    let biased = compare(&[&pooled], 0.5, Look::first()).unwrap();
    assert!(biased.is_certain(), "without strata it looks like a gain: {biased:?}");
    let fair = strata.difference(|_| true, 0.5, Look::first()).unwrap();
    assert!(!fair.is_certain() && fair.share().abs() < 0.03, "{fair:?}");
}

#[test]
fn views_of_one_client_count_as_one_for_certainty() {
    let arms = |first_of_client: fn(u64) -> bool| {
        let mut arms = Arms::default();
        for view in 0..2_000_u64 {
            let arm = if view % 2 == 0 { Arm::HeldOut } else { Arm::Helped };
            let time = Duration::from_millis(300 + view * 7919 % 900);
            arms.add(arm, &Observation { time, weight: Weight::ONE, first_of_client: first_of_client(view) });
        }
        compare(&[&arms], 0.5, Look::first()).unwrap()
    };
    let (alone, returning) = (arms(|_| true), arms(|view| view % 20 < 2));
    let width = |d: &headstart_gain::Difference| d.high - d.low;
    let wider = width(&returning) / width(&alone);
    assert!((2.5..4.0).contains(&wider), "a tenth of the clients: √10 times as wide, not {wider}");
}

#[test]
fn nothing_is_claimed_of_a_few() {
    let mut arms = Arms::default();
    for view in 0..11_u64 {
        for arm in [Arm::Helped, Arm::HeldOut] {
            let time = Duration::from_millis(100 + view);
            arms.add(arm, &Observation { time, weight: Weight::ONE, first_of_client: true });
        }
    }
    assert_eq!(compare(&[&arms], 0.5, Look::first()), None);
    assert_eq!(compare(&[], 0.5, Look::first()), None);
    assert_eq!(Sketch::default().quantile(0.5), None);
}

//! The links are what they say: round trip, rate, initial window, and a window that doubles.

use headstart_benches::link::check::{judge, measure};
use std::time::Duration;

use headstart_benches::link::{Conditions, Faults, Link};

#[test]
fn packets() {
    match Link::packets(0) {
        Ok(link) => check(&link),
        Err(error) => {
            // CI is root and has the device; a machine that has not uses the relay, which the other test checks.
            assert!(std::env::var_os("CI").is_none(), "no link of packets: {error}");
            println!("skipped: no link of packets: {error}");
        }
    }
}

#[test]
fn relay() {
    check(&Link::relay());
}

#[test]
fn faults_of_packets() {
    // Without packets there is nothing to lose; `packets` says so.
    let Ok(link) = Link::packets(1) else { return };
    link.set_congestion_control("reno").expect("every kernel has it");
    assert!(link.set_congestion_control("none-of-this-name").is_err());
    let even = Conditions::new(40, 20);
    let jitter = Duration::from_millis(20);
    let faults = Faults { loss: 0.004, jitter, swing: 0.3, seed: 1 };
    let measured = measure(&link, Conditions { faults, ..even }).expect("the link carries");
    println!("{measured:?}, {} lost", link.drops());
    // 3 MiB are some 2,170 packets, and there is no queue that they do not fit into at this rate of loss.
    assert!((1..60).contains(&link.drops()), "{} packets were lost", link.drops());
    let late = measured.round_trip.saturating_sub(even.round_trip);
    assert!(late < 3 * jitter, "the least of five round trips is {late:?} late");
    assert!(measured.bits_per_second < even.bits_per_second as f64, "loss costs: {measured:?}");
}

fn check(link: &Link) {
    let conditions = Conditions::new(40, 20);
    let measured = measure(link, conditions).expect("the link carries");
    println!("{}: {measured:?}", link.describe());
    judge(&measured, conditions).expect("the link is what it says");
}

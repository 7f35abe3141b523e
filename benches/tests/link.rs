//! The links are what they say: round trip, rate, initial window, and a window that doubles.

use headstart_benches::link::check::{judge, measure};
use headstart_benches::link::{Conditions, Link};

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

fn check(link: &Link) {
    let conditions = Conditions::new(40, 20);
    let measured = measure(link, conditions).expect("the link carries");
    println!("{}: {measured:?}", link.describe());
    judge(&measured, conditions).expect("the link is what it says");
}

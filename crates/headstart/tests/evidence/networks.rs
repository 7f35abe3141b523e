//! The network gate: who counts as how many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::client::{Client, engine, is_hinted};

/// Each address visits the page once, with a browser of its own.
fn visits(addresses: &[String]) -> bool {
    let headstart = engine(|builder| builder);
    for address in addresses {
        Client::new(&headstart, address).visit("/", &["/app.css"]);
    }
    is_hinted(&headstart, "/", "/app.css")
}

#[test]
fn three_networks_pass_the_gate_and_two_do_not() {
    let addresses = |count| (0..count).map(|n| format!("198.{n}.7.1")).collect::<Vec<_>>();
    assert!(visits(&addresses(3)));
    assert!(!visits(&addresses(2)));
}

#[test]
fn a_block_of_one_party_does_not_pass_the_gate() {
    let all = |address: fn(u32) -> String| (0..64).map(address).collect::<Vec<_>>();
    assert!(!visits(&all(|n| format!("198.51.{n}.1"))), "an IPv4 /16");
    assert!(!visits(&all(|n| format!("2001:db8:0:{n:x}00::1"))), "an IPv6 /48");
    assert!(visits(&all(|n| format!("2001:db8:{n:x}::1"))), "an IPv6 /32 counts as eight");
}

#[test]
fn a_person_with_a_laptop_is_one_network() {
    let headstart = engine(|builder| builder);
    let mut home = Client::new(&headstart, "192.0.2.1");
    // The cookie contains what only this person has loaded.
    home.visit("/", &["/alice.css"]);
    home.visit("/", &[]);
    assert!(home.cookie.is_some());
    let mut office = home.moved(&headstart, "198.51.100.1");
    office.visit("/", &["/app.css"]);
    office.visit("/", &[]);
    let mut train = office.moved(&headstart, "203.0.113.1");
    train.visit("/", &["/app.css"]);
    let mut cafe = train.moved(&headstart, "198.18.0.1");
    cafe.visit("/", &["/app.css"]);
    assert!(!is_hinted(&headstart, "/", "/app.css"));
    // Without its cookie it cannot be told from three people.
    for (address, agent) in [("192.0.2.1", "A/1"), ("198.51.100.1", "B/1"), ("203.0.113.1", "C/1")] {
        let mut client = Client::new(&headstart, address);
        client.set("user-agent", agent);
        client.visit("/other", &["/app.css"]);
    }
    assert!(is_hinted(&headstart, "/other", "/app.css"));
}

#[test]
fn people_with_equal_cookies_stay_several_networks() {
    let headstart = engine(|builder| builder);
    let addresses = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];
    let mut clients = addresses.map(|address| Client::new(&headstart, address));
    for client in &mut clients {
        client.visit("/", &["/app.css"]);
        client.visit("/", &[]);
    }
    let [first, second, third] = &clients;
    assert!(first.cookie.is_some() && first.cookie == second.cookie && second.cookie == third.cookie);
    for client in &mut clients {
        client.visit("/second", &["/second.css"]);
    }
    assert!(is_hinted(&headstart, "/second", "/second.css"));
}

#[test]
fn a_forwarded_client_does_not_teach_where_one_network_is_enough() {
    let teach = |field: Option<&'static str>| {
        let headstart = engine(|builder| builder.min_networks(1));
        for _ in 0..3 {
            let mut alice = Client::new(&headstart, "127.0.0.1");
            if let Some(name) = field {
                alice.set(name, "198.51.100.1");
            }
            alice.visit("/", &["/u/alice.css?token=1"]);
        }
        (is_hinted(&headstart, "/", "/u/alice.css?token=1"), headstart.unlearned().get(headstart::Unlearned::Forwarded))
    };
    assert_eq!(teach(None), (true, 0), "a developer");
    for field in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        assert_eq!(teach(Some(field)), (false, 6), "{field}: nginx on the same machine");
    }
}

#[test]
fn a_forwarded_client_is_shown_what_local_clients_need_and_no_name_of_a_persons() {
    let start = SystemTime::now();
    let elapsed = Arc::new(AtomicU64::new(0));
    let seconds = Arc::clone(&elapsed);
    let headstart = engine(|builder| {
        builder.min_networks(1).clock(move || start + Duration::from_secs(seconds.load(Ordering::Relaxed)))
    });
    Client::new(&headstart, "127.0.0.1").visit("/", &["/app.css", "/u/alice.css?token=1"]);
    // Its visit is over by time alone: no other request comes before those of the proxy.
    elapsed.store(60, Ordering::Relaxed);
    let mut proxy = Client::new(&headstart, "127.0.0.1");
    for client in ["198.51.100.1", "198.51.100.2"] {
        proxy.set("x-forwarded-for", client);
        // The connection carries both clients: the second is not taken to hold what the first was sent.
        assert_eq!(proxy.visit("/", &["/app.css"]).paths(), ["/app.css"], "{client}");
        proxy.cookie = None;
    }
}

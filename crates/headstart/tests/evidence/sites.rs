//! Places for sites.

use crate::client::{Client, answer, engine, is_hinted};

#[test]
fn a_made_up_host_takes_no_place() {
    let headstart = engine(|builder| builder);
    let mut client = Client::new(&headstart, "192.0.2.1");
    for n in 0..300 {
        client = client.at(&format!("{n}.invented.example"));
        client.navigate_to("/", answer(404, "text/html"));
        client.navigate_to("/", answer(421, "text/html"));
        client.navigate_to("/", answer(200, "application/json"));
    }
    assert_eq!(headstart.learner().stats().sites, 0);
    client.at("a.example").navigate("/");
    assert_eq!(headstart.learner().stats().sites, 1);
}

#[test]
fn the_view_that_registers_a_site_is_learned() {
    let headstart = engine(|builder| builder);
    for address in ["192.0.2.1", "198.51.100.1", "203.0.113.1"] {
        Client::new(&headstart, address).visit("/", &["/app.css"]);
    }
    assert_eq!(headstart.learner().stats().sites, 1);
    assert!(is_hinted(&headstart, "/", "/app.css"), "three views are enough, the first one included");
}

#[test]
fn a_host_that_is_not_ours_is_not_registered() {
    let headstart = engine(|builder| builder.hosts(["a.example"]));
    Client::new(&headstart, "192.0.2.1").at("b.example").navigate("/");
    assert_eq!(headstart.learner().stats().sites, 0);
}

#[test]
fn invented_hosts_that_are_answered_200_keep_no_honest_one_from_learning() {
    let headstart = engine(|builder| builder);
    let mut attacker = Client::new(&headstart, "192.0.2.1");
    for n in 0..300 {
        attacker = attacker.at(&format!("{n}.invented.example"));
        attacker.visit("/", &["/app.css"]);
    }
    assert_eq!(headstart.learner().stats().sites, 256);
    // They go on, and a restart changes nothing for them.
    let headstart = engine(|builder| builder.snapshot(headstart.snapshot()));
    for (n, address) in (0..).zip(["198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.0.1", "100.64.0.1", "1.1.1.1"])
    {
        let mut attacker = Client::new(&headstart, "192.0.2.1").at(&format!("{n}.more.example"));
        attacker.visit("/", &["/app.css"]);
        Client::new(&headstart, address).visit("/", &["/app.css"]);
    }
    assert!(is_hinted(&headstart, "/", "/app.css"));
}

#[test]
fn a_host_that_the_operator_names_needs_one_page() {
    let headstart = engine(|builder| builder.pinned_hosts(["A.example"]));
    let mut attacker = Client::new(&headstart, "192.0.2.1");
    for n in 0..300 {
        attacker = attacker.at(&format!("{n}.invented.example"));
        attacker.navigate("/");
    }
    for address in ["198.51.100.1", "203.0.113.1", "198.18.0.1"] {
        Client::new(&headstart, address).visit("/", &["/app.css"]);
    }
    assert!(is_hinted(&headstart, "/", "/app.css"));
}

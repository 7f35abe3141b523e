//! Which sites there is a place for.

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

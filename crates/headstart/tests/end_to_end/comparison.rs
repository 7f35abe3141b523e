//! Comparison of views with and without help: who is timed, and A/A.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use headstart::{Builder, Decision, Event, ForwardedBy, VisitReport};
use http::Method;

use crate::kit::{Answer, BROWSER, Client, Pushes, Server};

async fn observed(settings: impl FnOnce(Builder) -> Builder) -> (Server, Receiver<VisitReport>) {
    let (told, visits) = channel();
    let told = std::sync::Mutex::new(told);
    let server = Server::start(
        |builder| {
            settings(builder).on_event(move |event| {
                if let Event::Visit(visit) = event {
                    drop(told.lock().unwrap().send(visit.clone()));
                }
            })
        },
        &[("/", Answer::html("page")), ("/a.css", Answer::css("aaaa")), ("/b.js", Answer::js("b"))],
    )
    .await;
    (server, visits)
}

/// The next report of a view; connections may still be at work.
async fn next(visits: &Receiver<VisitReport>) -> VisitReport {
    for _ in 0..500 {
        if let Ok(visit) = visits.try_recv() {
            return visit;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no view was reported")
}

/// In an A/A comparison a hold-out is reported as one, is helped like any other, and teaches nothing.
#[tokio::test]
async fn hold_outs_of_an_a_a_comparison_are_helped_and_teach_nothing() {
    // With 1 every view of a page with a plan is held out.
    let (server, visits) = observed(|builder| builder.holdout(1).aa(true)).await;
    server.teach("/", &["/a.css"]).await;
    for _ in 0..3 {
        next(&visits).await;
    }
    let learned = server.headstart.learner().stats().learned;
    for n in 0..4 {
        let mut client = Client::connect(&server, Pushes::Refused).await;
        let reply =
            client.send(Method::GET, "/", &[&BROWSER[..], &[("user-agent", &format!("Test/{n}"))]].concat()).await;
        assert_eq!(reply.hints.len(), 1, "it is helped");
        let view = server.last_view();
        assert!(view.held_out && view.aa && view.assets.iter().all(|asset| asset.decision == Decision::Hinted));
        assert!(!view.to_string().contains("held out"), "nothing is said of help that was held back: {view}");
        let referer = format!("http://{}/", server.address);
        for asset in ["/a.css", "/b.js"] {
            client.send(Method::GET, asset, &[("referer", &referer)]).await;
        }
        drop(client);
        let visit = next(&visits).await;
        assert!(visit.held_out && visit.aa && visit.complete.is_some());
    }
    server.headstart.finish();
    assert_eq!(server.headstart.learner().stats().learned, learned, "nothing was learned from them");
    assert_eq!(server.headstart.stats().held_out, 0, "no view got less than it could");
}

#[tokio::test]
async fn without_aa_a_view_says_so() {
    let (server, visits) = observed(|builder| builder.holdout(1)).await;
    server.teach("/", &["/a.css"]).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert!(reply.hints.is_empty() && server.last_view().held_out && !server.last_view().aa);
    drop(client);
    while !next(&visits).await.held_out {}
}

/// Behind a proxy one connection carries the views of several clients: they are told apart by address and Referer.
#[tokio::test]
async fn views_behind_a_proxy_are_timed_by_client_and_referer() {
    let loopback = ["127.0.0.0/8".parse().unwrap()];
    let (server, visits) = observed(|builder| builder.trusted_proxies(loopback, ForwardedBy::XForwardedFor)).await;
    let referer = format!("http://{}/", server.address);
    let mut proxy = Client::connect(&server, Pushes::Refused).await;
    for round in 0..3 {
        let of = [("x-forwarded-for", ["192.0.2.1", "198.51.100.1", "203.0.113.1"][round])];
        proxy.send(Method::GET, "/", &[&BROWSER[..], &of].concat()).await;
        proxy.send(Method::GET, "/a.css", &[&of[..], &[("referer", &referer)]].concat()).await;
    }
    server.headstart.finish();
    for _ in 0..3 {
        next(&visits).await;
    }
    let (a, b) = ([("x-forwarded-for", "192.0.2.7")], [("x-forwarded-for", "198.51.100.7")]);
    proxy.send(Method::GET, "/", &[&BROWSER[..], &a].concat()).await;
    proxy.send(Method::GET, "/", &[&BROWSER[..], &b].concat()).await;
    proxy.send(Method::GET, "/a.css", &[&a[..], &[("referer", &referer)]].concat()).await;
    // Whose is it? Without a Referer nobody knows.
    proxy.send(Method::GET, "/a.css", &b).await;
    server.headstart.finish();
    let (first, second) = (next(&visits).await, next(&visits).await);
    assert_ne!(first.client, second.client);
    let mut complete = [first.complete.is_some(), second.complete.is_some()];
    complete.sort_unstable();
    assert_eq!(complete, [false, true]);
    assert!([&first, &second].iter().all(|visit| visit.planned == 1 && visit.assets.len() <= 1));
}

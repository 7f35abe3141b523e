//! Events that observers get.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use headstart::{Arrival, Event, PushOutcome, PushReport, VisitReport};
use http::Method;

use crate::kit::{Answer, BROWSER, Client, Pushes, Server};

async fn observed(holdout: u32) -> (Server, Receiver<Event>) {
    let (told, events) = channel();
    let told = std::sync::Mutex::new(told);
    let server = Server::start(
        |builder| builder.holdout(holdout).on_event(move |event| drop(told.lock().unwrap().send(event.clone()))),
        &[
            ("/", Answer::html("page")),
            ("/a.css", Answer::css("aaaa")),
            ("/b.js", Answer::js("b")),
            ("/late.css", Answer::css("late")),
        ],
    )
    .await;
    server.teach("/", &["/a.css", "/b.js"]).await;
    for _ in 0..3 {
        // The lessons' own visits, which end with their connections.
        next(&events, is_visit).await;
    }
    (server, events)
}

fn is_visit(event: Event) -> Option<VisitReport> {
    match event {
        Event::Visit(report) => Some(report),
        _ => None,
    }
}

fn is_push(event: Event) -> Option<PushReport> {
    match event {
        Event::Push(report) => Some(report),
        _ => None,
    }
}

/// The next event that is one of these; the connection's task may still be at it.
async fn next<T>(events: &Receiver<Event>, pick: impl Fn(Event) -> Option<T>) -> T {
    for _ in 0..500 {
        if let Some(picked) = events.try_iter().find_map(&pick) {
            return picked;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no such event")
}

fn arrivals(report: &VisitReport) -> Vec<(&str, Arrival, bool)> {
    report.assets.iter().map(|asset| (&*asset.path, asset.how, asset.end.is_some())).collect()
}

#[tokio::test]
async fn pushes_are_reported_and_timed() {
    let (server, events) = observed(0).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    client.send(Method::GET, "/", &BROWSER).await;
    let push = next(&events, is_push).await;
    assert_eq!((&*push.page, &*push.asset, push.bytes), ("/", "/a.css", 4));
    assert_eq!(push.outcome, PushOutcome::Finished);
    client.send(Method::GET, "/late.css", &[("referer", &format!("http://{}/", server.address))]).await;
    drop(client);
    let visit = next(&events, is_visit).await;
    assert_eq!(
        arrivals(&visit),
        [("/a.css", Arrival::Pushed, true), ("/b.js", Arrival::Pushed, true), ("/late.css", Arrival::Fetched, true)]
    );
    assert!(!visit.held_out && !visit.warm && !visit.cut_off);
    let [css, js, late] = &visit.assets[..] else { panic!("{visit:?}") };
    assert_eq!((css.bytes, js.bytes), (4, 1));
    assert_eq!(visit.complete, css.end.max(js.end), "what was not planned is not waited for");
    assert!(late.start >= visit.head);
}

#[tokio::test]
async fn a_view_that_is_held_out_is_timed_over_the_same_assets() {
    let (server, events) = observed(1).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    client.send(Method::GET, "/", &BROWSER).await;
    let referer = format!("http://{}/", server.address);
    for asset in ["/a.css", "/b.js", "/late.css", "/none.css"] {
        client.send(Method::GET, asset, &[("referer", &referer)]).await;
    }
    client.send(Method::GET, "/a.css", &[("referer", "http://elsewhere.example/")]).await;
    // The next navigation ends the view.
    client.send(Method::GET, "/", &BROWSER).await;
    let visit = next(&events, is_visit).await;
    assert!(visit.held_out);
    assert_eq!(
        arrivals(&visit),
        [
            ("/a.css", Arrival::Fetched, true),
            ("/b.js", Arrival::Fetched, true),
            ("/late.css", Arrival::Fetched, true),
            ("/none.css", Arrival::Fetched, false),
        ]
    );
    assert_eq!(visit.complete, visit.assets[1].end);
    assert!(!visit.cut_off, "what is missing was not planned");
    drop(client);
    let second = next(&events, is_visit).await;
    assert!(second.warm && second.complete.is_none() && second.assets.is_empty());
}

#[tokio::test]
async fn what_is_fetched_after_a_hint_says_so() {
    let (server, events) = observed(0).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(reply.hints.len(), 1);
    client.send(Method::GET, "/b.js", &[("referer", &format!("http://{}/", server.address))]).await;
    drop(client);
    let visit = next(&events, is_visit).await;
    assert_eq!(arrivals(&visit), [("/b.js", Arrival::Hinted, true)]);
}

#[tokio::test]
async fn what_is_no_page_is_no_visit() {
    let (server, events) = observed(0).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    client.send(Method::GET, "/nothing.html", &BROWSER).await;
    drop(client);
    let mut client = Client::connect(&server, Pushes::Refused).await;
    client.send(Method::GET, "/", &BROWSER).await;
    drop(client);
    let visit = next(&events, is_visit).await;
    assert_eq!(&*visit.page, "/");
}

/// The line is not idle while the application is at work, and what is measured says so.
#[tokio::test]
async fn pushes_go_ahead_of_a_page_that_takes_long() {
    let (server, events) = observed(0).await;
    server.put("/", Answer::html("page").after(300));
    let mut client = Client::connect(&server, Pushes::Taken).await;
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(reply.pushed, ["/a.css", "/b.js"]);
    assert!(reply.headers.contains_key("set-cookie") && reply.links().is_empty());
    drop(client);
    let visit = next(&events, is_visit).await;
    assert_eq!(arrivals(&visit), [("/a.css", Arrival::Pushed, true), ("/b.js", Arrival::Pushed, true)]);
    assert!(visit.assets.iter().all(|asset| asset.end.unwrap() < visit.head), "{visit:?}");
    assert!(visit.complete.unwrap() < visit.head && !visit.cut_off);
}

/// A page that turns out to be none is no view, whatever went ahead of it.
#[tokio::test]
async fn a_redirect_that_takes_long() {
    let (server, events) = observed(0).await;
    server.put("/", Answer::html("").status(302).after(100));
    let mut client = Client::connect(&server, Pushes::Taken).await;
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(reply.pushed, ["/a.css", "/b.js"]);
    assert!(!reply.headers.contains_key("set-cookie"));
    assert_eq!(next(&events, is_push).await.outcome, PushOutcome::Finished);
    server.put("/", Answer::html("page"));
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(&reply.body[..], b"page");
    drop(client);
    let visit = next(&events, is_visit).await;
    assert!(visit.assets.iter().all(|asset| asset.how != Arrival::Pushed), "{visit:?}");
}

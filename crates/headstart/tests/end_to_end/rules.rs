//! Decisions of the operator that overrule the learner.

use headstart::{Action, Budget, Decision, Reason, Rule, Rules};
use http::Method;

use crate::kit::{Answer, BROWSER, Client, Pushes, Server, targets};
use testkit::http2::Reply;

async fn taught(rules: Rules) -> Server {
    let server = Server::start(
        |builder| builder.rules(rules),
        &[
            ("/", Answer::html("page")),
            ("/a.css", Answer::css("a")),
            ("/b.js", Answer::js("b")),
            ("/always.css", Answer::css("always")),
        ],
    )
    .await;
    server.teach("/", &["/a.css", "/b.js"]).await;
    server
}

fn rule(action: Action, assets: &str) -> Rules {
    Rules::new().with(Rule::new(action, "/", assets).unwrap())
}

async fn ask(server: &Server, pushes: Pushes) -> Reply {
    Client::connect(server, pushes).await.send(Method::GET, "/", &BROWSER).await
}

#[tokio::test]
async fn never() {
    let server = taught(rule(Action::Never, "/*.js")).await;
    let reply = ask(&server, Pushes::Taken).await;
    assert_eq!(reply.pushed, ["/a.css"]);
    assert!(reply.links().is_empty());
    let reply = ask(&server, Pushes::Refused).await;
    assert_eq!(targets(&reply.hints[0]), ["/a.css"]);
    let decisions: Vec<_> = server.last_view().assets.iter().map(|asset| asset.decision).collect();
    assert_eq!(decisions, [Decision::Hinted, Decision::Omitted(Reason::Rule)]);
}

#[tokio::test]
async fn what_is_not_pushed_is_named() {
    let server = taught(rule(Action::NeverPush, "**")).await;
    let reply = ask(&server, Pushes::Taken).await;
    assert!(reply.pushed.is_empty());
    assert_eq!(targets(&reply.links()), ["/a.css", "/b.js"]);
    assert_eq!(ask(&server, Pushes::Refused).await.hints.len(), 1);
}

#[tokio::test]
async fn what_changed_is_not_pushed_against_a_rule() {
    let server = taught(Rules::new()).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    client.send(Method::GET, "/", &BROWSER).await;
    let cookie = client.cookie.take();
    server.put("/a.css", Answer::css("changed"));
    server.headstart.set_rules(rule(Action::Never, "/a.css"));
    let mut client = Client::connect(&server, Pushes::Taken).await;
    client.cookie = cookie;
    assert!(client.send(Method::GET, "/", &BROWSER).await.pushed.is_empty());
}

#[tokio::test]
async fn always() {
    let server = taught(rule(Action::Send, "/always.css")).await;
    assert_eq!(ask(&server, Pushes::Taken).await.pushed, ["/always.css", "/a.css", "/b.js"]);
    assert_eq!(targets(&ask(&server, Pushes::Refused).await.hints[0]), ["/always.css", "/a.css", "/b.js"]);
    assert!(ask(&server, Pushes::Refused).await.links().iter().any(|link| link.contains("/always.css")));

    server.headstart.set_rules(rule(Action::Push, "/always.css"));
    assert_eq!(ask(&server, Pushes::Taken).await.pushed.len(), 3);
    assert!(!ask(&server, Pushes::Refused).await.links().iter().any(|link| link.contains("/always.css")));

    server.headstart.set_rules(rule(Action::Hint, "/always.css"));
    let reply = ask(&server, Pushes::Taken).await;
    assert_eq!(reply.pushed, ["/a.css", "/b.js"]);
    assert_eq!(targets(&reply.links()), ["/always.css"]);
}

#[tokio::test]
async fn a_site_has_its_budget() {
    let server = taught(Rules::new()).await;
    let one = Budget { max_pushes: 1, max_hints: 1, ..Budget::default() };
    server.headstart.set_rules(Rules::new().budget(&server.address.to_string(), one));
    assert_eq!(ask(&server, Pushes::Taken).await.pushed, ["/a.css"]);
    assert_eq!(ask(&server, Pushes::Refused).await.hints, [["</a.css>; rel=preload; as=style"]]);
    server.headstart.set_rules(Rules::new());
    assert_eq!(ask(&server, Pushes::Taken).await.pushed.len(), 2);
}

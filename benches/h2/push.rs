//! Pushed streams a second, beside nghttpd.

use std::process::Command;
use std::time::{Duration, Instant};

use http::Request;

use crate::child::Child;
use crate::client::{Connection, block_on, length};
use crate::rows::Rows;
use crate::server::{PUSHED_BYTES, PUSHES};

/// The name of the row.
pub(crate) const CASE: &str = "a page with 10 pushes of 3 KB, cleartext, 1 thread";

/// Connections, and pages that are open on each.
const CONNECTIONS: usize = 4;
const STREAMS: usize = 2;

/// Loads `pages` pages from each in each round.
pub(crate) fn bench(rows: &mut Rows, rounds: usize, pages: usize) {
    let Some((_files, peer)) = nghttpd() else {
        println!("\n**nghttpd is missing: no comparison of pushes.** Debian has it in the package nghttp2-server.");
        return;
    };
    let ours = Child::ours("pusher", false, 1);
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    // The first of each only warms up.
    for _ in 0..=rounds {
        let (ours, peer) = (run(&ours, pages), run(&peer, pages));
        rates.push((ours.pushes_per_second, peer.pushes_per_second));
        costs.push((ours.cpu.as_secs_f64() * 1e6, peer.cpu.as_secs_f64() * 1e6));
    }
    rates.remove(0);
    costs.remove(0);
    rows.pushes(CASE, rates, costs);
}

struct Run {
    pushes_per_second: f64,
    /// CPU time of the server for a page.
    cpu: Duration,
}

fn run(server: &Child, pages: usize) -> Run {
    block_on(async {
        let before = server.cpu();
        let began = Instant::now();
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(server).await);
        }
        let mut loads = Vec::new();
        for connection in &connections {
            for _ in 0..STREAMS {
                let requests = connection.requests.clone();
                let page = format!("{}/push", connection.base);
                loads.push(tokio::spawn(load(requests, page, pages / CONNECTIONS / STREAMS)));
            }
        }
        let mut pushes = 0;
        for load in loads {
            pushes += load.await.expect("a load");
        }
        let took = began.elapsed();
        let pages = pages / CONNECTIONS / STREAMS * CONNECTIONS * STREAMS;
        assert_eq!(pushes, pages * PUSHES, "pushes are missing");
        Run {
            pushes_per_second: pushes as f64 / took.as_secs_f64(),
            cpu: server.cpu().saturating_sub(before) / pages as u32,
        }
    })
}

/// Loads pages one after another, each with all that is pushed with it; how many pushes that were.
async fn load(mut requests: h2::client::SendRequest<bytes::Bytes>, page: String, pages: usize) -> usize {
    let mut pushed = 0;
    for _ in 0..pages {
        requests = requests.ready().await.expect("a stream");
        let request = Request::get(&page).body(()).expect("a request");
        let (mut response, _) = requests.send_request(request, true).expect("a request");
        let mut promises = response.push_promises();
        let answer = response.await.expect("a response");
        assert_eq!(answer.status(), 200);
        assert_eq!(length(answer.into_body()).await, PUSHED_BYTES);
        while let Some(promise) = promises.push_promise().await {
            let (_, response) = promise.expect("a promise").into_parts();
            let response = response.await.expect("a pushed response");
            assert_eq!(response.status(), 200);
            assert_eq!(length(response.into_body()).await, PUSHED_BYTES);
            pushed += 1;
        }
    }
    pushed
}

/// nghttpd with the same page, from files.
fn nghttpd() -> Option<(tempfile::TempDir, Child)> {
    let files = tempfile::tempdir().expect("a directory");
    let put = |name: &str| std::fs::write(files.path().join(name), vec![b'x'; PUSHED_BYTES]).expect("a file");
    put("push");
    std::fs::create_dir(files.path().join("pushed")).expect("a directory");
    let names: Vec<String> = (0..PUSHES).map(|number| format!("/pushed/{number}")).collect();
    for name in &names {
        put(&name[1..]);
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).ok()?.port();
    let mut command = Command::new("nghttpd");
    command.args(["--no-tls", "--address=127.0.0.1", &format!("--push=/push={}", names.join(","))]);
    command.arg(format!("--htdocs={}", files.path().display())).arg(free.to_string());
    Child::other(&mut command, free).map(|child| (files, child))
}

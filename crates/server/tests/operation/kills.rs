//! `kill -9` at any time: what was learned is there again, but for the last snapshot interval.
//!
//! A few by default; `HEADSTART_KILLS=1000` makes as many.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use http::Request;

use super::client::{Client, Connection};
use super::rig::{Files, Program};

/// Between snapshots.
const INTERVAL: Duration = Duration::from_millis(100);
/// What a snapshot may take to get to disk, on a machine that does much else.
const WRITING: Duration = Duration::from_secs(1);

fn kills() -> (usize, u64) {
    match std::env::var("HEADSTART_KILLS").ok().and_then(|text| text.parse().ok()) {
        Some(kills) => (kills, 400),
        // Few, but long enough that something has to be in the snapshot of each.
        None => (6, 2500),
    }
}

/// One page view: the page and its stylesheet, as a browser asks for them.
async fn view(connection: &Connection, page: &str) -> Option<()> {
    let address = format!("https://localhost{page}");
    let navigation = Request::get(&address)
        .header("accept", "text/html")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "none");
    let (status, _) = connection.send(navigation.body(()).expect("a request")).await.ok()?;
    assert_eq!(status, 200, "{page}");
    let asset = Request::get("https://localhost/a.css")
        .header("referer", &address)
        .header("sec-fetch-dest", "style")
        .header("sec-fetch-mode", "no-cors")
        .header("sec-fetch-site", "same-origin");
    connection.send(asset.body(()).expect("a request")).await.ok().map(|_| ())
}

/// The pages that the snapshot names, by the program's own account.
fn known(files: &Files) -> HashSet<String> {
    let words = ["state", "state/snapshot", "--json", "--pages", "1000000", "--min-networks", "1"];
    let output = files.program().args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let state: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let pages = state["pages"].as_array().expect("a list");
    pages.iter().filter_map(|page| page["path"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn kills_lose_at_most_an_interval() {
    let files = Files::new();
    files.write("s/a.css", "a { color: red }");
    let cert = files.certify("a", "localhost");
    let client = Client::new(&[&cert]);
    let (kills, longest) = kills();
    // Pages that were learned, and those of them that may be missing.
    let (mut learned, mut lost) = (Vec::new(), HashSet::new());
    let mut oldest_loss = Duration::ZERO;
    let mut random = 0x9e37_79b9_u64;
    for kill in 0..kills {
        let mut command = files.program();
        command.args(["serve", "s", "--listen", "127.0.0.1:0", "--cert", "a.crt", "--key", "a.key", "--holdout", "0"]);
        command.args(["--state-dir", "state", "--min-networks", "1", "--snapshot-interval", "100ms"]);
        let program = Program::start(&mut command);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis((random >> 33) % longest);
        let connection = client.connect(program.port("https"), "localhost").await.unwrap();
        let began = Instant::now();
        // A view is learned when the client goes to its next page.
        let mut this_time: Vec<(String, Instant)> = Vec::new();
        let mut before = None;
        while began.elapsed() < life && this_time.len() < 40 {
            let page = format!("/{kill}-{}.html", this_time.len());
            files.write(&format!("s{page}"), "<!doctype html><title>x</title>");
            view(&connection, &page).await.expect("it still runs");
            this_time.extend(before.replace(page).map(|page| (page, Instant::now())));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(life.saturating_sub(began.elapsed())).await;
        let killed = Instant::now();
        let printed = program.printed();
        program.kill();
        assert!(!printed.contains("snapshot"), "{printed}");
        let now = known(&files);
        for page in &learned {
            assert!(now.contains(page) || lost.contains(page), "{page} was known, and is not after kill {kill}");
        }
        for (page, when) in this_time {
            if now.contains(&page) {
                learned.push(page);
                continue;
            }
            let age = killed.duration_since(when);
            assert!(age <= INTERVAL + WRITING, "{page} was learned {age:?} before the kill, and is lost");
            oldest_loss = oldest_loss.max(age);
            lost.insert(page);
        }
    }
    assert!(!files.path("state/snapshot.bad").exists(), "a snapshot was corrupt");
    println!(
        "{kills} kills: {} pages learned and kept, {} lost, learned {oldest_loss:?} before the kill at most",
        learned.len(),
        lost.len()
    );
    assert!(!learned.is_empty());
}

//! Reverse proxies over TLS and HTTP/2, ours beside four: `cargo xtask bench proxy [--quick]`.
//!
//! One client (`h2load`), one certificate, one cipher, and behind the proxies the same upstream: files of nginx, then an
//! application in Node, both in clear over connections that are kept. Every proxy gets one worker process or thread.
//! The proxies take turns within each round, another one first in each, and a ratio is the median over the rounds of ours
//! to theirs in the same round. Every response must be 200 and of the right length. Client, proxy and upstream share the
//! processors, so that what a proxy passes on in a second depends on the others' work as well; the processor time of the
//! proxy alone, its kernel time included, does not.
//!
//! Where text is compressed, it is by gzip at level 5, in both.
//!
//! Ours learns, sets its cookie and writes its line for each page view, and keeps no responses: what its cache saves
//! an upstream is left out. For the page it also runs without reading pages, which shows what reading costs. The peers keep no access log, and up to 512 connections to the upstream, as ours does.

mod report;
mod servers;

use std::path::Path;
use std::process::exit;
use std::time::Duration;

use headstart_benches::peers::{Certificate, H2load, Load, Peer, Running, Setup};

use report::{Measured, Report};
use servers::{CADDY, FILES, H2O, HEADSTART, NGHTTPX, NGINX, NODE, WITHOUT_READING};

/// The request of a row.
struct Case {
    /// In the table.
    name: &'static str,
    path: &'static str,
    /// Bytes of the file.
    size: usize,
    /// How a browser says what it is for.
    header: &'static str,
    /// The proxy compresses it with gzip: of the peers only nginx, at the same level.
    gzip: bool,
}

const CASES: [Case; 3] = [
    Case { name: "10 KB asset", path: "/app.css", size: 10_000, header: "sec-fetch-dest: style", gzip: false },
    Case { name: "30 KB page", path: "/page.html", size: 30_000, header: "sec-fetch-dest: document", gzip: false },
    Case {
        name: "30 KB page with gzip",
        path: "/text.html",
        size: 30_000,
        header: "sec-fetch-dest: document",
        gzip: true,
    },
];

/// Words of a page, so that it compresses as pages do: to a fifth or a quarter.
const WORDS: [&str; 32] = [
    "<p>",
    "</p>",
    "<a href=\"/article/",
    "\">",
    "</a>",
    "<div class=\"card card-wide\">",
    "</div>",
    "<span>",
    "</span>",
    "the",
    "server",
    "learns",
    "from",
    "traffic",
    "which",
    "assets",
    "a",
    "page",
    "pulls",
    "in",
    "and",
    "sends",
    "them",
    "early",
    "before",
    "anyone",
    "asks",
    "for",
    "it",
    "again",
    "today",
    ".",
];

/// Requests of a round, at least: processor time is counted in ticks of 10 ms.
const LEAST: u64 = 5_000;

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    if let Err(why) = run(quick) {
        eprintln!("{why}");
        exit(1);
    }
}

fn run(quick: bool) -> Result<(), Box<dyn std::error::Error>> {
    let (rounds, seconds) = if quick { (3, 0.7) } else { (5, 2.0) };
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("site");
    std::fs::create_dir(&root)?;
    for case in CASES {
        // The same in each run.
        let numbers = (0..).map(|n: u32| n.wrapping_mul(0x9e37_79b9));
        let word = |number: u32| {
            let word = WORDS.get(number as usize >> 27).copied().unwrap_or_default();
            if number.is_multiple_of(11) { format!("{word} {number} ") } else { format!("{word} ") }
        };
        let line = |number: u32| if case.gzip { word(number) } else { format!("{number:08x}\n") };
        let text: Vec<u8> = numbers.flat_map(|number| line(number).into_bytes()).take(case.size).collect();
        std::fs::write(root.join(case.path.trim_start_matches('/')), text)?;
    }
    let certificate = Certificate::make(directory.path())?;
    println!(
        "TLS 1.3, TLS_AES_128_GCM_SHA256, HTTP/2; HTTP/1.1 to the upstream; one worker for each proxy; h2load, 10 connections of 32 streams."
    );
    let mut report = Report::default();
    for upstream in [FILES, NODE] {
        let behind = match Setup::new(&root, &certificate).start(&upstream) {
            Ok(behind) => behind,
            Err(error) => {
                println!("**skipped: {} as upstream: {error}**\n", upstream.name);
                continue;
            }
        };
        let proxies = start_all(&root, &certificate, &behind)?;
        for case in CASES {
            let is_compared = |proxy: &str| match proxy {
                "headstart" | "nginx" => true,
                // Pages are what is read, and compression is much more work than that.
                name if name == WITHOUT_READING.name => case.name == "30 KB page",
                _ => !case.gzip,
            };
            let compared = |proxy: &&Running| is_compared(proxy.name());
            let compared: Vec<&Running> = proxies.iter().filter(compared).collect();
            let measured = measure(&compared, &case, (rounds, seconds))?;
            report.add(&format!("{} of {}", case.name, upstream.name), &measured);
        }
    }
    report.finish();
    Ok(())
}

/// All proxies in front of one upstream, ours first.
fn start_all(
    root: &Path,
    certificate: &Certificate,
    behind: &Running,
) -> Result<Vec<Running>, Box<dyn std::error::Error>> {
    let colon = behind.address().to_string();
    let comma = colon.replace(':', ",");
    let start = |peer: &Peer| {
        let mut setup = Setup::new(root, certificate);
        setup.extra = if peer.name == NGHTTPX.name { &comma } else { &colon };
        setup.start(peer)
    };
    let mut proxies = vec![start(&HEADSTART)?, start(&WITHOUT_READING)?];
    for peer in [NGINX, NGHTTPX, H2O, CADDY] {
        match start(&peer) {
            Ok(proxy) => proxies.push(proxy),
            Err(error) => println!("**skipped: {error}**\n"),
        }
    }
    Ok(proxies)
}

fn measure(
    proxies: &[&Running],
    case: &Case,
    (rounds, seconds): (usize, f64),
) -> Result<Vec<Measured>, Box<dyn std::error::Error>> {
    let mut client = H2load::new()?;
    client.extra = ["-H", case.header, "-H", "sec-fetch-site: same-origin"].map(str::to_owned).to_vec();
    if case.gzip {
        client.extra.extend(["-H", "accept-encoding: gzip"].map(str::to_owned));
    }
    let path = case.path;
    let ask = |client: &H2load, proxy: &Running, timed: bool| -> Result<Load, Box<dyn std::error::Error>> {
        let load = if timed { client.run_timed(proxy, path)? } else { client.run(proxy, path)? };
        let size = case.size as u64;
        let expected = if case.gzip { size / 20..=size / 2 } else { size..=size };
        if !expected.contains(&load.body_bytes) {
            return Err(format!("{} sends {} bytes of {path}, not {expected:?}", proxy.name(), load.body_bytes).into());
        }
        Ok(load)
    };
    // How many requests each passes on in the time of a round.
    let mut counts = Vec::new();
    for proxy in proxies {
        client.requests = 1_000;
        let bytes = ask(&client, proxy, false)?.body_bytes;
        if case.gzip {
            println!("\n{} sends {bytes} bytes for {}.", proxy.name(), case.size);
        }
        let rate = ask(&client, proxy, false)?.per_second;
        counts.push((rate * seconds) as u64);
    }
    let mut all: Vec<Measured> = proxies.iter().map(|proxy| Measured::new(proxy.name())).collect();
    for round in 0..rounds {
        let mut turns: Vec<_> = proxies.iter().zip(&counts).zip(&mut all).collect();
        let first = round % turns.len().max(1);
        turns.rotate_left(first);
        for ((proxy, count), measured) in turns {
            client.requests = (*count).max(LEAST);
            let load = ask(&client, proxy, false)?;
            client.requests = (*count / 2).max(1_000);
            let p99 = ask(&client, proxy, true)?.p99.unwrap_or(Duration::ZERO);
            measured.add(load, p99);
        }
    }
    Ok(all)
}

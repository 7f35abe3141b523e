//! Reverse proxies over TLS and HTTP/2, ours beside four: `cargo xtask bench proxy [--quick]`.
//!
//! One client (`h2load`), one certificate, one cipher, and behind the proxies the same upstream: files of nginx, then an
//! application in Node, both in clear over connections that are kept. Every proxy gets one worker process or thread.
//! The proxies take turns within each round, another one first in each, and a ratio is the median over the rounds of ours
//! to theirs in the same round. Every response must be 200 and of the right length. Client, proxy and upstream share the
//! processors, so that what a proxy passes on in a second depends on the others' work as well; the processor time of the
//! proxy alone, its kernel time included, does not.
//!
//! Ours learns, sets its cookie and writes its line for each page view, and keeps no responses: what its cache saves
//! an upstream is left out. The peers keep no access log, and up to 512 connections to the upstream, as ours does.

mod report;
mod servers;

use std::path::Path;
use std::process::exit;
use std::time::Duration;

use headstart_benches::peers::{Certificate, H2load, Load, Peer, Running, Setup};

use report::{Measured, Report};
use servers::{CADDY, FILES, H2O, HEADSTART, NGHTTPX, NGINX, NODE};

/// What is asked for: its name in the table, path, size in bytes, and how a browser says what it is for.
const CASES: [(&str, &str, usize, &str); 2] = [
    ("10 KB asset", "/app.css", 10_000, "sec-fetch-dest: style"),
    ("30 KB page", "/page.html", 30_000, "sec-fetch-dest: document"),
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
    for (_, path, size, _) in CASES {
        // Not compressible to nothing, and the same in each run.
        let text = (0..).flat_map(|n: u32| format!("{:08x}\n", n.wrapping_mul(0x9e37_79b9)).into_bytes());
        std::fs::write(root.join(path.trim_start_matches('/')), text.take(size).collect::<Vec<u8>>())?;
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
        for (name, path, size, header) in CASES {
            let measured = measure(&proxies, path, size, header, (rounds, seconds))?;
            report.add(&format!("{name} of {}", upstream.name), &measured);
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
    let mut proxies = vec![start(&HEADSTART)?];
    for peer in [NGINX, NGHTTPX, H2O, CADDY] {
        match start(&peer) {
            Ok(proxy) => proxies.push(proxy),
            Err(error) => println!("**skipped: {error}**\n"),
        }
    }
    Ok(proxies)
}

fn measure(
    proxies: &[Running],
    path: &str,
    size: usize,
    header: &str,
    (rounds, seconds): (usize, f64),
) -> Result<Vec<Measured>, Box<dyn std::error::Error>> {
    let mut client = H2load::new()?;
    client.extra = ["-H", header, "-H", "sec-fetch-site: same-origin"].map(str::to_owned).to_vec();
    let ask = |client: &H2load, proxy: &Running, timed: bool| -> Result<Load, Box<dyn std::error::Error>> {
        let load = if timed { client.run_timed(proxy, path)? } else { client.run(proxy, path)? };
        if load.body_bytes != size as u64 {
            return Err(format!("{} sends {} bytes of {path}, not {size}", proxy.name(), load.body_bytes).into());
        }
        Ok(load)
    };
    // How many requests each passes on in the time of a round.
    let mut counts = Vec::new();
    for proxy in proxies {
        client.requests = 1_000;
        ask(&client, proxy, false)?;
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

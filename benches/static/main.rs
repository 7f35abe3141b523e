//! Files over TLS and HTTP/2, ours beside five servers: `cargo xtask bench static [--quick]`.
//!
//! One client (`h2load`), one certificate, one cipher, the same two files. Every server gets one worker process or
//! thread, so that on two cores the client has one to itself. The servers take turns within each round, and a ratio is
//! the median over the rounds of ours to theirs in the same round. Every response must be 200 and of the right length.
//!
//! Ours runs as an operator would start it, learning and cookie on, one line of log for each page view; the page is
//! asked for with the header of a navigation and the asset with that of a stylesheet, by which it takes part in
//! learning. The peers keep no access log. Beside it runs ours without reading of pages, for the page: what reading costs.

mod report;

use std::path::Path;
use std::process::exit;
use std::time::Duration;

use headstart_benches::peers::{
    AXUM, CADDY, Certificate, H2O, H2load, HEADSTART, Load, NGHTTPD, NGINX, Peer, Running, Setup, become_peer,
};

use report::{Case, Measured, Report};

/// Ours without reading pages beside their sending.
const WITHOUT_READING: Peer = Peer {
    name: report::WITHOUT_READING,
    env: &[("TOKIO_WORKER_THREADS", "@workers@"), ("HEADSTART_MARKUP_READ", "false")],
    ..HEADSTART
};

/// Bytes of the page.
const PAGE_BYTES: usize = 30_000;

/// What is asked for: its name in the table, path, size in bytes, and header fields as a browser sends them.
const FILES: [(&str, &str, usize, &[&str]); 2] = [
    (
        "10 KB asset",
        "/app.css",
        10_000,
        &[
            "accept: text/css,*/*;q=0.1",
            "sec-fetch-dest: style",
            "sec-fetch-mode: no-cors",
            "sec-fetch-site: same-origin",
        ],
    ),
    (
        "30 KB page",
        "/page.html",
        PAGE_BYTES,
        &[
            "accept: text/html,*/*;q=0.8",
            "sec-fetch-dest: document",
            "sec-fetch-mode: navigate",
            "sec-fetch-site: none",
        ],
    ),
];

fn main() {
    become_peer();
    let quick = std::env::args().any(|arg| arg == "--quick");
    if let Err(why) = run(quick) {
        eprintln!("{why}");
        exit(1);
    }
}

fn run(quick: bool) -> Result<(), Box<dyn std::error::Error>> {
    let (rounds, seconds, million) = if quick { (3, 0.7, 50_000) } else { (5, 2.0, 1_000_000) };
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("site");
    std::fs::create_dir(&root)?;
    for (_, path, size, _) in FILES {
        // Not compressible to nothing, and the same in each run.
        let text = (0..).flat_map(|n: u32| format!("{:08x}\n", n.wrapping_mul(0x9e37_79b9)).into_bytes());
        std::fs::write(root.join(path.trim_start_matches('/')), text.take(size).collect::<Vec<u8>>())?;
    }
    let certificate = Certificate::make(directory.path())?;
    let mut report = Report::new();
    for (name, path, size, header) in FILES {
        let case = measure(&root, &certificate, path, size, header, (rounds, seconds, million))?;
        report.add(name, &case);
    }
    report.finish();
    Ok(())
}

/// Ours first, then the peers that run.
fn measure(
    root: &Path,
    certificate: &Certificate,
    path: &str,
    size: usize,
    header: &[&str],
    (rounds, seconds, million): (usize, f64, u64),
) -> Result<Case, Box<dyn std::error::Error>> {
    let setup = Setup::new(root, certificate);
    let ours = setup.start(&HEADSTART)?;
    let mut servers = vec![ours];
    if size == PAGE_BYTES {
        servers.push(setup.start(&WITHOUT_READING)?);
    }
    servers.extend(setup.start_all(&[NGINX, NGHTTPD, H2O, CADDY, AXUM]));

    let mut client = H2load::new()?;
    client.extra = header.iter().flat_map(|field| ["-H".to_owned(), (*field).to_owned()]).collect();
    let ask = |client: &H2load, server: &Running, timed: bool| -> Result<Load, Box<dyn std::error::Error>> {
        let load = if timed { client.run_timed(server, path)? } else { client.run(server, path)? };
        if load.body_bytes != size as u64 {
            return Err(format!("{} sends {} bytes of {path}, not {size}", server.name(), load.body_bytes).into());
        }
        Ok(load)
    };
    // How many requests each answers in the time of a round.
    let mut counts = Vec::new();
    for server in &servers {
        client.requests = 3_000;
        ask(&client, server, false)?;
        let rate = ask(&client, server, false)?.per_second;
        counts.push((rate * seconds) as u64);
    }
    let mut all: Vec<Measured> = servers.iter().map(|server| Measured::new(server.name())).collect();
    for _ in 0..rounds {
        for ((server, count), measured) in servers.iter().zip(&counts).zip(&mut all) {
            client.requests = (*count).max(1_000);
            let load = ask(&client, server, false)?;
            client.requests = (*count / 2).max(1_000);
            let p99 = ask(&client, server, true)?.p99.unwrap_or(Duration::ZERO);
            measured.add(load, p99);
        }
    }
    for ((server, count), measured) in servers.iter().zip(&counts).zip(&mut all) {
        // The slow ones would take minutes for a million.
        client.requests = million.min(count.saturating_mul(6)).max(1_000);
        ask(&client, server, false)?;
        measured.memory = server.pss_bytes();
    }
    Ok(Case { servers: all })
}

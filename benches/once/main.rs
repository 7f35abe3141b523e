//! Clients that come once, ours beside three servers: `cargo bench -p headstart-benches --bench once -- [--quick]`.
//!
//! A client makes a connection with a full TLS 1.3 handshake, asks for a page and, when that is there, for its ten assets at
//! once, and goes. Eight are there at a time, of 250 addresses, all new to the server. Counted is the processor time of
//! the server's processes; *clients a second a core* is their number by that. Servers have one worker each and take turns in
//! rounds; a ratio is the median over the rounds.
//!
//! Ours runs as an operator would start it: it learns of each visit, sets its cookie, and names the assets in a 103, which the client
//! reads and leaves aside. The peers keep no access log.

mod visit;

use std::process::exit;

use headstart_benches::peers::{CADDY, Certificate, H2O, HEADSTART, NGINX, Running, Setup, become_peer};
use serde_json::{Value, json};

use visit::Visitors;

fn main() {
    become_peer();
    let quick = std::env::args().any(|word| word == "--quick");
    if let Err(why) = run(quick) {
        eprintln!("{why}");
        exit(1);
    }
}

fn run(quick: bool) -> Result<(), Box<dyn std::error::Error>> {
    let (rounds, clients) = if quick { (3, 250) } else { (7, 1_000) };
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("site");
    visit::write_site(&root)?;
    let certificate = Certificate::make(directory.path())?;
    let setup = Setup::new(&root, &certificate);
    let mut servers = vec![setup.start(&HEADSTART)?];
    servers.extend(setup.start_all(&[NGINX, H2O, CADDY]));
    let visitors = Visitors::new(&certificate)?;
    // Code and files are in memory, and ours has learned.
    for server in &servers {
        visitors.come(server, clients / 5)?;
    }
    let mut costs: Vec<Vec<f64>> = vec![Vec::new(); servers.len()];
    for round in 0..rounds {
        for place in 0..servers.len() {
            // Nobody is always first.
            let at = (place + round) % servers.len();
            costs[at].push(cost(&visitors, &servers[at], clients)?);
        }
    }
    report(&servers, &costs, clients);
    Ok(())
}

/// Processor time of a client, us.
fn cost(visitors: &Visitors, server: &Running, clients: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let before = server.cpu_time();
    visitors.come(server, clients)?;
    let spent = server.cpu_time().saturating_sub(before);
    Ok(spent.as_secs_f64() * 1e6 / clients as f64)
}

fn report(servers: &[Running], costs: &[Vec<f64>], clients: usize) {
    println!("{} rounds of {clients} clients; TLS 1.3, HTTP/2; one worker for each server.\n", costs[0].len());
    println!("| server | CPU a client, us | clients a second a core | ours / theirs |\n|---|---:|---:|---:|");
    let mut rows = Vec::new();
    for (server, theirs) in servers.iter().zip(costs) {
        let ratios = costs[0].iter().zip(theirs).map(|(ours, theirs)| theirs / ours).collect();
        let (rate, ratio) = (1e6 / median(theirs.clone()), median(ratios));
        println!("| {} | {:.0} | {rate:.0} | {ratio:.2} |", server.name(), median(theirs.clone()));
        if server.name() != servers[0].name() {
            rows.push(json!({
                "area": "once", "name": format!("clients that come once, a second a core, against {}", server.name()),
                "unit": "1/s", "ours": (1e6 / median(costs[0].clone())).round(), "peer_name": server.name(), "peer": rate.round(),
                "ratio": (ratio * 100.0).round() / 100.0, "target": ">= 1", "pass": ratio >= 1.0,
            }));
        }
    }
    headstart_benches::rows::write(&format!("{:#}\n", Value::Array(rows)));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

//! The cost of a client's share to a request: `cargo bench -p headstart-benches --bench shares [-- --quick]`.
//!
//! A permit is taken and given back while other clients hold theirs, by one thread and by two at once; then while clients
//! wait, which is so only under an attack.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headstart_policy::{Share, Shares, Waiting};
use serde_json::{Value, json};

/// Nanoseconds of one permit, taken and given back, with all clients that there may be, by one thread.
const TARGET: f64 = 500.0;

fn main() {
    let calls = if std::env::args().any(|word| word == "--quick") { 20_000 } else { 200_000 };
    println!("| permit taken and given back | threads | ns | target |\n|---|---:|---:|---|");
    let mut rows = Vec::new();
    for clients in [1, 100, 10_000] {
        for threads in [1, 2] {
            let shares = Shares::of_free(1 << 20, 8, 0);
            let _held: Vec<Share> = (0..clients).filter_map(|n| shares.try_take(Some(client(n)))).collect();
            let target = (threads == 1).then_some(TARGET);
            rows.push(row(&format!("{clients} clients hold one"), threads, measure(&shares, threads, calls), target));
        }
    }
    for waiting in [10, 1000] {
        // All but a few are taken, by one client; others wait for more than there is.
        let shares = Shares::new(4096, 2 * waiting as usize);
        let _held: Vec<Share> = std::iter::from_fn(|| shares.try_take(Some(client(0)))).collect();
        let _more: Vec<Share> = (0..200).filter_map(|n| shares.try_take(Some(client(1 + n % 2)))).collect();
        let _waiting: Vec<Waiting> = (0..waiting).filter_map(|_| shares.wait(Some(client(0)))).collect();
        rows.push(row(
            &format!("up to {waiting} requests of one client wait"),
            1,
            measure(&shares, 1, calls / 10),
            None,
        ));
    }
    headstart_benches::rows::write(&serde_json::to_string_pretty(&rows).expect("rows are JSON"));
}

fn client(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 | number).into()
}

/// The best of nine rounds.
fn measure(shares: &Arc<Shares>, threads: u32, calls: u32) -> Duration {
    let round = || {
        std::thread::scope(|scope| {
            let began = Instant::now();
            let work = |thread: u32| {
                let shares = Arc::clone(shares);
                move || {
                    for n in 0..calls {
                        black_box(shares.try_take(Some(client((thread + 1) << 20 | (n % 1024)))));
                    }
                }
            };
            let others: Vec<_> = (1..threads).map(|thread| scope.spawn(work(thread))).collect();
            work(0)();
            for other in others {
                other.join().expect("no panic");
            }
            began.elapsed() / calls
        })
    };
    (0..9).map(|_| round()).min().unwrap_or_default()
}

fn row(name: &str, threads: u32, took: Duration, target: Option<f64>) -> Value {
    let ours = took.as_nanos() as f64;
    let pass = target.map(|target| ours <= target);
    let target = target.map(|target| format!("<= {target}"));
    println!("| {name} | {threads} | {ours} | {} |", target.as_deref().unwrap_or_default());
    json!({
        "area": "shares", "name": format!("{name}, {threads} threads"), "unit": "ns", "ours": ours,
        "peer_name": null, "peer": null, "ratio": null, "target": target, "pass": pass,
    })
}

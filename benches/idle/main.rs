//! What a connection costs that does nothing, and what a request costs among many: `cargo bench -p headstart-benches --bench
//! idle -- [--quick]`.
//!
//! 15,000 cleartext HTTP/2 connections (2,000 with `--quick`) are opened to a server, one request each is answered, and
//! then they are held. What is counted is the anonymous memory of the server's process, before and after, divided by
//! the connections: heap and stacks, with what the allocator cannot use again; not the kernel's sockets. Then each of them
//! asks again, some at a time, and what is counted is the processor time of a request, beside that of a server with fifty
//! connections that ask as often: the rest is caches that hold nothing of a connection whose turn it is. Each
//! contender is a process of its own and this same binary: the facade with all it does, the driver alone, and beside
//! them the bare `h2` crate and hyper, which is on `h2` as well.

mod clients;
mod contenders;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headstart_benches::peers::{anonymous_bytes, cpu_time};
use serde_json::{Value, json};

/// Connections of a server that has few.
const FEW: usize = 50;
/// Requests whose processor time is counted: in ticks of 10 ms, of which they take some dozens.
const REQUESTS: usize = 20_000;

/// Bytes that an idle connection may cost.
const TARGET: f64 = 12.0 * 1024.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", which] => contenders::serve(which),
        [] => bench(15_000),
        ["--quick"] => bench(2_000),
        _ => panic!("usage: idle [--quick] | serve WHICH, not {words:?}"),
    }
}

fn bench(wanted: usize) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    // Some are the process's own.
    let room = limit.map_or(wanted, |limit| usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(100));
    let connections = wanted.min(room);
    println!("{connections} connections; this process may have {} descriptors.\n", limit.unwrap_or(u64::MAX));
    println!(
        "| server | bytes a connection | target | CPU a request, us, of {FEW} connections | of {connections} | times |"
    );
    println!("|---|---:|---|---:|---:|---:|");
    let mut rows = Vec::new();
    let mut peers = Vec::new();
    let mut costs = Vec::new();
    for (number, name) in contenders::NAMES.into_iter().enumerate() {
        let Measured { bytes, of_few, of_all } = measure(name, number as u8, connections);
        let ours = name.starts_with("headstart");
        let verdict = if bytes <= TARGET { "met" } else { "missed" };
        let target = if ours { format!("{TARGET} {verdict}") } else { "a peer".to_owned() };
        println!("| {name} | {bytes:.0} | {target} | {of_few:.1} | {of_all:.1} | {:.2} |", of_all / of_few);
        if ours {
            rows.push((name, bytes));
        } else {
            peers.push((name, bytes));
        }
        costs.push(json!({
            "area": "idle", "name": format!("CPU of a request among {connections} connections, {name}"), "unit": "us",
            "ours": (of_all * 10.0).round() / 10.0, "peer_name": format!("{name}, {FEW} connections"),
            "peer": (of_few * 10.0).round() / 10.0, "ratio": (of_all / of_few * 100.0).round() / 100.0, "target": null,
            "pass": null,
        }));
    }
    let rows = rows.iter().flat_map(|row| peers.iter().map(move |peer| json_row(*row, *peer)));
    let rows: Vec<Value> = rows.chain(costs).collect();
    headstart_benches::rows::write(&serde_json::to_string_pretty(&rows).expect("rows are JSON"));
}

fn json_row((name, ours): (&str, f64), (peer_name, peer): (&str, f64)) -> Value {
    json!({
        "area": "idle",
        "name": format!("idle connection, {name}"),
        "unit": "bytes",
        "ours": ours.round(),
        "peer_name": peer_name,
        "peer": peer.round(),
        "ratio": (peer / ours * 100.0).round() / 100.0,
        "target": format!("<= {TARGET}"),
        "pass": ours <= TARGET,
    })
}

/// The cost of connections to a server.
struct Measured {
    /// Memory of one.
    bytes: f64,
    /// Processor time of a request, us, where there are few connections, and among all.
    of_few: f64,
    of_all: f64,
}

fn measure(name: &str, number: u8, connections: usize) -> Measured {
    let server = Server::start(name);
    // What one connection makes is made once for all.
    let few = server.cost(&mut clients::hold(server.port, number, FEW), REQUESTS / FEW);
    std::thread::sleep(Duration::from_secs(1));
    let before = server.memory();
    let mut held = clients::hold(server.port, number, connections);
    std::thread::sleep(Duration::from_secs(1));
    let after = server.memory();
    let all = server.cost(&mut held, REQUESTS.div_ceil(connections));
    assert_eq!(held.still_open(), connections, "{name} has closed some");
    Measured { bytes: after.saturating_sub(before) as f64 / connections as f64, of_few: few, of_all: all }
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(name: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program).args(["serve", name]).stdout(Stdio::piped()).spawn().expect("a process");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{name} does not say its port: {line:?}"));
        Server { child, port }
    }

    /// Processor time of a request, us, when each connection asks so many times.
    fn cost(&self, held: &mut clients::Held, times: usize) -> f64 {
        let before = cpu_time(self.child.id());
        for _ in 0..times {
            held.ask_again();
        }
        let spent = cpu_time(self.child.id()).saturating_sub(before);
        spent.as_secs_f64() * 1e6 / (times * held.still_open()) as f64
    }

    fn memory(&self) -> u64 {
        anonymous_bytes(self.child.id()).expect("the server runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which `memory` has noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

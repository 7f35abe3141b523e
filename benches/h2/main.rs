//! The driver beside hyper: `cargo bench -p headstart-benches --bench h2 -- [--quick] [CASE]`. CASE is a part of the
//! names of the cases that shall run, such as `3 KB, TLS`.
//!
//! The same binary, the same axum router, the same TLS; one server process for each contender, which this program is
//! itself (`serve`), loaded by h2load. Contenders take turns within each round; what is printed is the median of the
//! rounds, and ratios are medians of the rounds' ratios, so that what slows a round down slows both. Requests a second
//! are wall-clock and the load generator shares the machine; the CPU time that the server's threads spent on a request,
//! as the kernel counts it, is the steadier figure.
//!
//! Every answer is counted: a run in which one request fails, or a byte is missing, ends the benchmark.

mod child;
mod client;
mod load;
mod push;
mod rows;
mod server;

use child::Child;
use load::{Load, Run};
use rows::{Case, Rows};
use server::SIZES;

/// How long one run lasts, seconds, and how many rounds of runs there are.
struct Effort {
    seconds: f64,
    rounds: usize,
    threads: &'static [usize],
}

const QUICK: Effort = Effort { seconds: 0.5, rounds: 3, threads: &[1] };
const FULL: Effort = Effort { seconds: 1.0, rounds: 5, threads: &[1, 2] };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", which, transport, threads] => {
            server::run(which, transport == "tls", threads.parse().expect("a number"));
        }
        [] => bench(&FULL, ""),
        ["--quick"] => bench(&QUICK, ""),
        ["--quick", case] => bench(&QUICK, case),
        [case] => bench(&FULL, case),
        _ => panic!("usage: h2 [--quick] [CASE] | serve WHICH TRANSPORT THREADS, not {words:?}"),
    }
}

fn bench(effort: &Effort, chosen: &str) {
    if !load::is_there() {
        println!("**h2load is missing: nothing was measured.** Debian has it in the package nghttp2-client.");
        std::process::exit(1);
    }
    let cookie = client::block_on(client::earn_cookie(&Child::ours("learner", false, 1)));
    let mut rows = Rows::new();
    for &threads in effort.threads {
        for tls in [false, true] {
            let peer = Child::ours("hyper", tls, threads);
            for learner in [false, true] {
                let ours = Child::ours(if learner { "learner" } else { "driver" }, tls, threads);
                for size in SIZES {
                    let case = Case { size, tls, threads, learner };
                    if case.to_string().contains(chosen) {
                        rows.add(&case, &rounds(effort, &ours, &peer, Load::new(size, learner.then_some(&cookie))));
                    }
                }
            }
        }
    }
    if push::CASE.contains(chosen) {
        push::bench(&mut rows, effort.rounds, if effort.rounds > 3 { 2_000 } else { 500 });
    }
    rows.finish();
}

/// Ours and the peer's, changing places from round to round.
fn rounds(effort: &Effort, ours: &Child, peer: &Child, load: Load<'_>) -> Vec<(Run, Run)> {
    let (one, other) = (load.run(peer), load.run(ours));
    let load = load.lasting(effort.seconds, &one, &other);
    let turns = |round: usize| {
        if round.is_multiple_of(2) {
            let first = load.run(ours);
            (first, load.run(peer))
        } else {
            let first = load.run(peer);
            (load.run(ours), first)
        }
    };
    (0..effort.rounds).map(turns).collect()
}

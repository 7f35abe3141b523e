//! Instructions that the reading of pages costs a request, counted by callgrind.
//!
//! `cargo bench -p headstart-benches --bench reading`. A page of 10 KB whose plan is settled is asked for 128 times over HTTP/2,
//! by a client in memory, from a server that reads pages and from one that does not. The thread of the connection is counted,
//! with the client, and not the thread that reads. Reading on may cost 1 % more.

mod page;

use std::process::{Command, ExitCode};

use headstart_benches::callgrind::count;

/// What reading may cost, as a share of the request.
const MOST: f64 = 0.01;

/// Each is run with reading off and on.
const CASES: [(&str, bool); 2] = [("a page of an application", false), ("a page of files", true)];

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--case") {
        let number: usize = args.next().and_then(|number| number.parse().ok()).expect("the number of a case");
        page::ask(number % 2 == 1, CASES[number / 2].1);
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return if std::env::var_os("CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let mut code = ExitCode::SUCCESS;
    println!("| instructions of a request | reading off | reading on | more | at most |\n|---|---:|---:|---:|---|");
    let mut json = vec![];
    for (number, (name, _)) in CASES.iter().enumerate() {
        let [off, on] = [0, 1].map(|on| count(2 * number + on) / page::ROUNDS);
        let more = on as f64 / off as f64 - 1.0;
        let pass = more <= MOST;
        println!(
            "| {name} | {off} | {on} | {:.2} % | {:.0} %: {} |",
            100.0 * more,
            100.0 * MOST,
            if pass { "met" } else { "missed" }
        );
        json.push(format!(
            r#"{{"area":"reading","name":"{name}","unit":"instructions","ours":{on},"without":{off},"target":"<= {}","pass":{pass}}}"#,
            off as f64 * (1.0 + MOST)
        ));
        if !pass {
            code = ExitCode::FAILURE;
        }
    }
    headstart_benches::rows::write(&format!("[{}]\n", json.join(",\n")));
    code
}

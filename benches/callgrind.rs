//! Instructions counted by callgrind: the same on a busy machine as on a quiet one, so a change for the worse fails.
//!
//! A program of cases runs itself under valgrind, once for each case, and counts the work inside [`measured`] alone. A ceiling is a
//! tenth above the count at which the case was last improved (x86-64 without extensions, rustc 1.95, release profile with thin LTO).
//! Counts say nothing about mispredicted branches and cold memory.

use std::hint::black_box;
use std::process::{Command, ExitCode};

/// How often a case above its ceiling is counted again: the least count is its own.
const AGAIN: usize = 2;

/// A name, the counted work, the number by which the count is divided, and the ceiling.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// As it stands in the table.
    pub name: &'static str,
    /// Calls [`measured`].
    pub run: fn(),
    /// How many times [`measured`] does the work.
    pub per: u64,
    /// Instructions of one time that are allowed; `None` where none was set yet.
    pub ceiling: Option<u64>,
}

/// The `main` of a program of cases. Fails if a case is above its ceiling; without valgrind it says so and counts nothing,
/// which is a failure if `CI` is set.
///
/// # Panics
///
/// If a case fails under valgrind, or the rows cannot be written.
pub fn main(area: &str, cases: &[Case]) -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--case") {
        let case = args.next().and_then(|number| cases.get(number.parse::<usize>().ok()?)).expect("a number of a case");
        (case.run)();
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return if std::env::var_os("CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let mut code = ExitCode::SUCCESS;
    println!("| instructions | counted | ceiling |\n|---|---:|---:|");
    let mut json = vec![];
    for (number, case) in cases.iter().enumerate() {
        let is_met = |each: u64| case.ceiling.is_none_or(|ceiling| each <= ceiling);
        let mut each = count(number) / case.per;
        // Over a socket it depends on how often the other process lets this one wait; on a busy machine that is often.
        for _ in 0..AGAIN {
            if !is_met(each) {
                each = each.min(count(number) / case.per);
            }
        }
        let pass = is_met(each);
        let (ceiling, target) = match case.ceiling {
            Some(ceiling) => (ceiling.to_string(), format!("\"<= {ceiling}\"")),
            None => ("none yet".to_owned(), "null".to_owned()),
        };
        println!("| {} | {each} | {ceiling} {} |", case.name, if pass { "met" } else { "missed" });
        json.push(format!(
            r#"{{"area":"{area}","name":"{}","unit":"instructions","ours":{each},"target":{target},"pass":{pass}}}"#,
            case.name
        ));
        if !pass {
            code = ExitCode::FAILURE;
        }
    }
    crate::rows::write(&format!("[{}]\n", json.join(",\n")));
    code
}

/// Runs one case under callgrind and returns the instructions that it collected.
///
/// # Panics
///
/// If valgrind does not run, or the case fails under it.
pub fn count(case: usize) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measured*"])
        .arg(std::env::current_exe().expect("a path"))
        .args(["--case", &case.to_string()])
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let collected = text.lines().find_map(|line| line.split("Collected :").nth(1)).expect("a count");
    collected.trim().parse().expect("a number")
}

/// Does work that is counted.
#[inline(never)]
pub fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

//! Inputs of the corpus, changed at random, through their laws: what a fuzzer does without looking at coverage. Some for each
//! law on each build, always the same; more, and others, for so many seconds a law with `HEADSTART_LAWS_SECONDS` set, of one law with `HEADSTART_LAW`.
#![allow(missing_docs, reason = "a test")]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use headstart_laws::LAWS;

/// Changed inputs of a law on each build.
const INPUTS: u32 = 40;

/// Pieces put into inputs: what parsers look for.
const PIECES: [&[u8]; 20] = [
    b"\r\n",
    b"\n",
    b"\0",
    b":",
    b";",
    b",",
    b" ",
    b"\"",
    b"%2e",
    b"%2f",
    b"/",
    b"..",
    b"\xff",
    b"0",
    b"-1",
    b"chunked",
    b"Content-Length: 4\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"4294967296",
    b"\r\n\r\n",
];

#[test]
fn changed_inputs_break_no_law() {
    let seconds = std::env::var("HEADSTART_LAWS_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
    let mut random = Random(seconds.map_or(7, |_: u64| now));
    let only = std::env::var("HEADSTART_LAW").ok();
    for (name, run) in LAWS.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let inputs = std::fs::read_dir(corpus).expect("a directory").map(|entry| entry.expect("an entry").path());
        let mut inputs: Vec<_> = inputs.collect();
        inputs.sort();
        let mut inputs: Vec<Vec<u8>> = inputs.iter().map(|path| std::fs::read(path).expect("a file")).collect();
        let (began, mut runs) = (Instant::now(), 0u32);
        let goes_on = |runs: u32| match seconds {
            Some(seconds) => began.elapsed() < Duration::from_secs(seconds),
            None => runs < INPUTS,
        };
        while goes_on(runs) {
            let input = changed(&mut random, &inputs);
            // Shown if the law is broken.
            println!("{name}: {}", input.escape_ascii());
            run(&input);
            runs += 1;
            // Changes add up.
            if runs.is_multiple_of(16) && inputs.len() < 200 && input.len() < 4096 {
                inputs.push(input);
            }
        }
        if seconds.is_some() {
            eprintln!("{name}: {runs} inputs in {} s", began.elapsed().as_secs());
        }
    }
}

fn changed(random: &mut Random, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut input = inputs[random.below(inputs.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let to = (at + random.below(8)).min(input.len());
        match random.below(6) {
            0 => drop(input.splice(at..to, PIECES[random.below(PIECES.len())].iter().copied())),
            1 => drop(input.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied())),
            2 => drop(input.drain(at..to)),
            3 => {
                let piece = input[at..to].to_vec();
                input.splice(at..at, piece);
            }
            4 => {
                let other = &inputs[random.below(inputs.len())];
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend(&other[from..]);
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    input
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % end.max(1) as u64).expect("below the end")
    }
}

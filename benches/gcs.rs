//! The codec beside its peers: `cargo bench -p headstart-benches --bench gcs -- [--quick]`.
//!
//! One run, all contenders in one binary, taking turns within each round; what is printed is the best of the rounds, in
//! nanoseconds. Every
//! answer is checked. Each row works on many different sets with keys of their own, so that a branch predictor meets new
//! bits all the time; a loop over one set of 100 values is learnt by heart and looks three times as fast as it is in life.
//!
//! `nervos` is the crate golomb-coded-set. All contenders write BIP 158 filters (that one with its own eight-byte count): U1, plain differences, zero padding.
//! `bitwise` is the plain loop: one bit at a time out of a byte slice, hash and parameters as in ours.

mod gcs_peers;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use bitcoin::bip158 as bitcoin_gcs;
use golomb_coded_set as nervos;
use headstart_gcs::{Bip158, Builder, Index, Set, View};

use gcs_peers::{bitcoin_build, bitcoin_decode, bitwise_contains, bitwise_decode, k0, k1, nervos_build, nervos_decode};

const KEY: [u8; 16] = *b"0123456789abcdef";

/// One false positive in 64 (a cookie) and in 784,931 (a block filter).
const RATES: [(u32, u32); 2] = [(64, 6), (784_931, 19)];

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (rounds, volume) = if quick { (3, 20_000) } else { (20, 100_000) };
    println!("| ns | one in | n | ours | bitcoin | nervos | bitwise | times quicker than the best peer | target |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---|");
    let mut json = vec![];
    for (m, p) in RATES {
        for n in [10, 100, 1_000, 100_000] {
            // As many sets as make the volume, so that each is met about once a round; queries of large sets are few, for the peers' sake.
            let work = Work::new(m, p, n, (volume / n).clamp(2, 2_000));
            json.push(work.build(rounds));
            json.push(work.decode(rounds));
            json.push(work.query_one(rounds));
            json.extend(work.query_twenty(rounds));
            json.extend(work.query_large(rounds));
        }
    }
    headstart_benches::rows::write(&format!("[{}]\n", json.join(",\n")));
}

/// The target of a row.
#[derive(Clone, Copy)]
enum Target {
    None,
    Nanoseconds(f64),
    /// As quick as the best peer, so many times over.
    Times(f64),
}

impl Target {
    fn times(applies: bool, times: f64) -> Self {
        if applies { Self::Times(times) } else { Self::None }
    }

    fn text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Nanoseconds(ns) => format!("<= {ns} ns"),
            Self::Times(times) => format!(">= {times} times"),
        }
    }
}

struct Work {
    m: u32,
    p: u32,
    n: usize,
    profile: Bip158,
    sets: Vec<Sample>,
}

/// One set in all forms, and twenty keys to ask for: every other one held.
struct Sample {
    keys: Vec<String>,
    asked: Vec<String>,
    bytes: Vec<u8>,
    nervos_bytes: Vec<u8>,
    sum: u64,
    /// The answers of a set of exact values, false positives included.
    held: Vec<bool>,
}

impl Work {
    fn new(m: u32, p: u32, n: usize, count: usize) -> Self {
        let profile = Bip158::new(KEY, m, p);
        let sets = (0..count).map(|set| Sample::new(profile, m, p, n, set)).collect();
        Self { m, p, n, profile, sets }
    }

    fn build(&self, rounds: u32) -> String {
        self.row(
            "build, a key",
            Target::times(self.n >= 100, 3.0),
            self.sets.len() * self.n,
            rounds,
            &mut [
                &mut || each(&self.sets, |set| Builder::from_keys(self.profile, &set.keys).finish() == set.bytes),
                &mut || each(&self.sets, |set| bitcoin_build(&set.keys, self.m, self.p) == set.bytes),
                &mut || each(&self.sets, |set| nervos_build(&set.keys, self.m, self.p) == set.nervos_bytes),
            ],
        )
    }

    fn decode(&self, rounds: u32) -> String {
        self.row(
            "decode all, a value",
            Target::times(self.n >= 1000, 3.0),
            self.sets.len() * self.n,
            rounds,
            &mut [
                &mut || {
                    each(&self.sets, |set| {
                        let decoded = Set::decode(self.profile, &set.bytes, self.n).expect("valid");
                        decoded.len() == self.n && last(decoded.values()) == set.sum
                    })
                },
                &mut || each(&self.sets, |set| last(&bitcoin_decode(&set.bytes, self.n, self.p)) == set.sum),
                &mut || each(&self.sets, |set| last(&nervos_decode(&set.nervos_bytes, self.n, self.p)) == set.sum),
                &mut || each(&self.sets, |set| last(&bitwise_decode(&set.bytes, self.n, self.p)) == set.sum),
            ],
        )
    }

    /// Key by key over all sets, not set by set: twenty queries of one set in a row would be learnt.
    fn query_one(&self, rounds: u32) -> String {
        let keys = if self.n > 1000 { 2 } else { 20 };
        let over = |contains: &dyn Fn(&Sample, &[u8]) -> bool| {
            (0..keys).all(|key| each(&self.sets, |set| contains(set, set.asked[key].as_bytes()) == set.held[key]))
        };
        let theirs = bitcoin_gcs::GcsFilterReader::new(k0(), k1(), u64::from(self.m), self.p as u8);
        let hasher = nervos::SipHasher24Builder::new(k0(), k1());
        let nervos = nervos::GCSFilterReader::new(hasher, u64::from(self.m), self.p as u8);
        self.row(
            "one key, from bytes",
            Target::times(self.n == 100, 3.0),
            self.sets.len() * keys,
            rounds,
            &mut [
                &mut || {
                    over(&|set, key| {
                        View::new(self.profile, &set.bytes).and_then(|view| view.contains(key)).expect("valid")
                    })
                },
                &mut || over(&|set, key| theirs.match_any(&mut &set.bytes[..], std::iter::once(key)).expect("valid")),
                &mut || {
                    over(&|set, key| {
                        nervos.match_any(&mut &set.nervos_bytes[..], &mut std::iter::once(key)).expect("valid")
                    })
                },
                &mut || over(&|set, key| bitwise_contains(&set.bytes, self.profile, self.n, self.p, key)),
            ],
        )
    }

    /// The peers have no call for "which of these": twenty calls.
    fn query_twenty(&self, rounds: u32) -> Option<String> {
        if self.n > 1000 {
            return None;
        }
        let row = self.row(
            "which of 20, from bytes",
            Target::times(self.n >= 100, if self.n == 100 { 10.0 } else { 20.0 }),
            self.sets.len(),
            rounds,
            &mut [
                &mut || {
                    each(&self.sets, |set| {
                        let mut held = [false; 20];
                        let view = View::new(self.profile, &set.bytes).expect("valid");
                        view.contains_many(&set.asked, &mut held).expect("valid");
                        held == set.held[..]
                    })
                },
                &mut || {
                    let reader = bitcoin_gcs::GcsFilterReader::new(k0(), k1(), u64::from(self.m), self.p as u8);
                    each(&self.sets, |set| {
                        set.check(20, |key| reader.match_any(&mut &set.bytes[..], std::iter::once(key)).expect("valid"))
                    })
                },
                &mut || {
                    let hasher = nervos::SipHasher24Builder::new(k0(), k1());
                    let reader = nervos::GCSFilterReader::new(hasher, u64::from(self.m), self.p as u8);
                    each(&self.sets, |set| {
                        set.check(20, |key| {
                            let mut bytes = &set.nervos_bytes[..];
                            reader.match_any(&mut bytes, &mut std::iter::once(key)).expect("valid")
                        })
                    })
                },
                &mut || {
                    each(&self.sets, |set| {
                        set.check(20, |key| bitwise_contains(&set.bytes, self.profile, self.n, self.p, key))
                    })
                },
            ],
        );
        Some(row)
    }

    /// Ours alone: what a directory or a decoded set makes of it, hash included.
    fn query_large(&self, rounds: u32) -> [String; 2] {
        let indices: Vec<_> = (self.sets.iter())
            .map(|set| Index::new(View::new(self.profile, &set.bytes).expect("valid"), 4, self.n).expect("valid"))
            .collect();
        let decoded: Vec<_> =
            self.sets.iter().map(|set| Set::decode(self.profile, &set.bytes, self.n).expect("valid")).collect();
        let index = self.row(
            "one key, by index",
            Target::Nanoseconds(60.0),
            self.sets.len() * 20,
            rounds,
            &mut [&mut || {
                self.sets.iter().zip(&indices).all(|(set, index)| set.check(20, |key| index.contains(key) == Ok(true)))
            }],
        );
        let decoded = self.row(
            "one key, decoded",
            Target::None,
            self.sets.len() * 20,
            rounds,
            &mut [&mut || {
                self.sets.iter().zip(&decoded).all(|(set, decoded)| set.check(20, |key| decoded.contains(key)))
            }],
        );
        [index, decoded]
    }

    /// Runs the contenders in turn and prints the best round of each, divided by `count`; returns the row as JSON.
    fn row(
        &self,
        name: &str,
        target: Target,
        count: usize,
        rounds: u32,
        contenders: &mut [&mut dyn FnMut() -> bool],
    ) -> String {
        let mut best = vec![Duration::MAX; contenders.len()];
        for _ in 0..rounds {
            for (contender, best) in contenders.iter_mut().zip(&mut best) {
                let start = Instant::now();
                let right = contender();
                *best = (*best).min(start.elapsed());
                assert!(right, "{name}: a wrong answer");
            }
        }
        let ns: Vec<_> = best.iter().map(|best| best.as_secs_f64() * 1e9 / count as f64).collect();
        let peers = ns.iter().zip(["ours", "bitcoin", "golomb-coded-set", "bitwise"]).skip(1);
        let peer = peers.min_by(|a, b| a.0.total_cmp(b.0));
        let ratio = peer.map(|(peer, _)| peer / ns[0]);
        let pass = match target {
            Target::None => None,
            Target::Nanoseconds(most) => Some(ns[0] <= most),
            Target::Times(least) => ratio.map(|ratio| ratio >= least),
        };

        let mut columns: Vec<_> = ns.iter().map(|ns| format!("{ns:.1}")).collect();
        columns.resize(4, String::new());
        let verdict = pass.map_or("", |pass| if pass { "met" } else { "missed" });
        let times = ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
        println!(
            "| {name} | {} | {} | {} | {times} | {} {verdict} |",
            self.m,
            self.n,
            columns.join(" | "),
            target.text()
        );

        let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
        format!(
            r#"{{"area":"gcs","name":"{name}, n = {}, one in {}","unit":"ns","ours":{:.2},"peer_name":{},"peer":{},"ratio":{},"target":"{}","pass":{}}}"#,
            self.n,
            self.m,
            ns[0],
            or_null(peer.map(|(_, name)| format!("\"{name}\""))),
            or_null(peer.map(|(peer, _)| format!("{peer:.2}"))),
            or_null(ratio.map(|ratio| format!("{ratio:.2}"))),
            target.text(),
            or_null(pass.map(|pass| pass.to_string())),
        )
    }
}

impl Sample {
    fn new(profile: Bip158, m: u32, p: u32, n: usize, set: usize) -> Self {
        // Paths of some 35 characters.
        let keys: Vec<_> = (0..n).map(|key| format!("/static/assets/{set:05}/module-{key:06}.js")).collect();
        let asked: Vec<_> =
            (0..20)
                .map(|i| {
                    if i % 2 == 0 { keys[(i * 7919 + set) % n].clone() } else { format!("/other/{set}/{i}/image.webp") }
                })
                .collect();
        let decoded = Set::from_keys(profile, &keys);
        Self {
            bytes: decoded.encode(),
            nervos_bytes: nervos_build(&keys, m, p),
            sum: last(decoded.values()),
            held: asked.iter().map(|key| decoded.contains(key.as_bytes())).collect(),
            keys,
            asked,
        }
    }

    fn check(&self, keys: usize, contains: impl Fn(&[u8]) -> bool) -> bool {
        self.asked.iter().zip(&self.held).take(keys).all(|(key, held)| contains(key.as_bytes()) == *held)
    }
}

fn each(sets: &[Sample], mut check: impl FnMut(&Sample) -> bool) -> bool {
    sets.iter().all(|set| black_box(check(black_box(set))))
}

/// Ends that a decoder cannot know without having read everything before.
fn last(values: &[u64]) -> u64 {
    values.last().copied().unwrap_or(0) ^ values.len() as u64
}

//! Whatever a file says, it is read or each mistake is named; the program is not ended by it.

use std::fmt::Write as _;
use std::path::Path;

use super::problems::Problems;
use super::{Settings, example, tree};

/// Files that are made of the example.
const ROUNDS: usize = 1500;

/// Pieces of a configuration file, which replace others at random.
const PIECES: [&str; 24] = [
    "",
    "\n",
    "\"",
    "'''",
    "[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "nan",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"*\"",
    "\"\u{202e}\"",
    "1979-05-27",
    "site",
    "[[site]]\n",
];

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

/// A few lines of the example, all of them settings, some of them with a piece in the place of another.
fn text(random: &mut Random, lines: &[&str]) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(12) {
        let line = lines[random.below(lines.len())];
        let characters: Vec<char> = line.chars().collect();
        match random.below(4) {
            0 => {
                let (from, piece) = (random.below(characters.len()), PIECES[random.below(PIECES.len())]);
                let to = (from + random.below(8)).min(characters.len());
                text.extend(&characters[..from]);
                text.push_str(piece);
                text.extend(&characters[to..]);
            }
            1 => {
                let key = line.split('=').next().unwrap_or_default();
                write!(text, "{key}= {}", PIECES[random.below(PIECES.len())]).expect("memory");
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[test]
fn any_file_is_read_or_its_mistakes_are_named() {
    let example = example::text();
    let lines: Vec<&str> = example.lines().map(|line| line.trim_start_matches("# ").trim_start_matches('#')).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| line.contains('=') || line.starts_with('[')).collect();
    assert!(lines.len() > 100);
    let mut random = Random(7);
    let (mut sound, mut wrong) = (0, 0);
    for _ in 0..ROUNDS {
        let text = text(&mut random, &lines);
        let problems = Problems::default();
        let node = tree::parse(Path::new("headstart.toml"), text.clone(), &problems);
        let _ = Settings::read(node, &problems, false);
        let problems = problems.into_sorted();
        sound += usize::from(problems.is_empty());
        wrong += usize::from(!problems.is_empty());
        for problem in problems {
            assert!(!problem.text().trim().is_empty(), "{text}");
            assert!(problem.position().is_none_or(|(line, _)| line <= text.lines().count() + 1), "{text}");
        }
    }
    assert!(wrong > ROUNDS / 2, "{sound} sound, {wrong} wrong");
}

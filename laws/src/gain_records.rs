//! Any bytes as the record of a gain: an error, or figures that are written and read back as they are, and that add up in any
//! order.

use headstart_gain::{Look, Strata};

/// One input: two records, one after the other.
///
/// # Panics
///
/// If what was written does not read back, or sums depend on their order.
pub fn run(bytes: &[u8]) {
    let mut rest = bytes;
    let Some(first) = read(&mut rest) else { return };
    let again = written(&first);
    assert_eq!(read(&mut again.as_slice()).as_ref(), Some(&first), "its own record");
    compare(&first);
    let Some(second) = read(&mut rest) else { return };
    let (mut one, mut other) = (first.clone(), second.clone());
    one.merge(&second);
    other.merge(&first);
    assert_eq!(written(&one), written(&other), "in any order");
    compare(&one);
}

/// At most 16 strata, as of the program.
fn read(input: &mut &[u8]) -> Option<Strata<u64>> {
    Strata::read(input, |code| (code < 16).then_some(code)).ok()
}

fn written(strata: &Strata<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    strata.write(|code| code, &mut bytes);
    bytes
}

/// Figures are numbers, and an interval has its value within.
fn compare(strata: &Strata<u64>) {
    for share in [0.5, 0.75, 0.9] {
        if let Some(found) = strata.difference(|_| true, share, Look::first()) {
            let text = format!("{found:?}");
            assert!(!text.contains("NaN"), "{text}");
        }
    }
    let _ = strata.extra_bytes(|_| true, Look::first());
}

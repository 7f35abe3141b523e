//! Any document, cut anywhere: the facts are the same, and the memory stays below what is said.

use crate::read as input;
use headstart_markup::{Location, MAX_MEMORY_BYTES, Reader, read};

/// One input.
pub fn run(bytes: &[u8]) {
    let Some(input) = input::<(Vec<u8>, u8, u16)>(bytes) else { return };
    let (unit, cut, repeats) = input;
    let Ok(location) = Location::new("https", "a.example", "/dir/page") else { return };
    // A fuzzer's documents are short: repeated, they reach the limits.
    let html = unit.repeat(usize::from(repeats % 512) + 1);
    let html = &html[..html.len().min(600 << 10)];
    let mut whole = None;
    let memory = allocation_counter::measure(|| whole = Some(read(&location, html)));
    assert!(memory.bytes_max < MAX_MEMORY_BYTES as u64, "{} bytes", memory.bytes_max);
    let mut reader = Reader::new(location);
    for piece in html.chunks(usize::from(cut) * usize::from(cut) + 1) {
        reader.write(piece);
    }
    assert_eq!(Some(reader.finish()), whole);
}

//! Any bytes as a file of state: an error, or a server that writes a state which reads back.

use headstart::Headstart;

/// One input: the bytes as they are, and what is inside the outer frame.
///
/// # Panics
///
/// If what was written does not read back.
pub fn run(bytes: &[u8]) {
    let build = |snapshot: Vec<u8>| Headstart::builder().memory_bytes(1 << 20).snapshot(snapshot).build();
    let _ = build(bytes.to_vec());
    let empty = build_empty();
    // The frame is that of an empty state; its checksum is made to fit.
    let mut framed = empty.get(..empty.len().min(40)).unwrap_or_default().to_vec();
    framed.extend(bytes);
    framed.extend(crc32fast::hash(&framed).to_le_bytes());
    for snapshot in [framed, [empty, bytes.to_vec()].concat()] {
        if let Ok(headstart) = build(snapshot) {
            assert!(build(headstart.snapshot()).is_ok(), "its own snapshot");
        }
    }
}

fn build_empty() -> Vec<u8> {
    let builder = Headstart::builder().memory_bytes(1 << 20).secret([7; 32]);
    builder.build().expect("the settings are in range").snapshot()
}

//! The attacks of `cargo xtask bench attacks` in brief, on the build that is being tested.
#![forbid(unsafe_code)]

fn main() {
    headstart_benches::attacks::brief();
}

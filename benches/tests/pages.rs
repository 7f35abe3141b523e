//! The pages of `cargo xtask bench pages` and `links` in brief, on the build that is being tested.
#![forbid(unsafe_code)]

fn main() {
    headstart_benches::pages::brief();
}

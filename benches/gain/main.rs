//! The measure of what help is worth, by simulation: see `headstart_benches::gain`.

fn main() {
    headstart_benches::gain::main();
}

//! Attacks on the program: see `headstart_benches::attacks`.

fn main() {
    headstart_benches::attacks::main();
}

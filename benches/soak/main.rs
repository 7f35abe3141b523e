//! Full load for minutes: see `headstart_benches::soak`.

fn main() {
    headstart_benches::soak::main();
}

//! Days of a site, simulated: see `headstart_benches::change`.

fn main() {
    headstart_benches::change::main();
}

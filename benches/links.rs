//! How long pages take over links that lose, delay and vary: `cargo bench -p headstart-benches --bench links -- [--quick]`. What is
//! measured and how is told in the library's module `pages`.

fn main() {
    headstart_benches::pages::over_links();
}

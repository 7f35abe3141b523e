//! How long real pages take over a link, ours beside its peers and an oracle: `cargo bench -p headstart-benches --bench pages
//! -- [--quick | --all-pages]`. What is measured and how is told in the library's module `pages`.

fn main() {
    headstart_benches::pages::main();
}

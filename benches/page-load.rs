//! How long pages take over a link, ours beside its peers: `cargo bench -p headstart-benches --bench page-load --
//! [--quick]`. What is measured and how is told in the library's module `page_load`.

fn main() {
    headstart_benches::page_load::main();
}

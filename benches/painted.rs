//! When Chromium paints real pages, with 103, with nothing, and from nginx: `cargo bench -p headstart-benches --bench painted --
//! [--quick | --all-pages]`. What is measured and how is told in the library's module `pages`.

fn main() {
    headstart_benches::pages::in_chromium();
}

//! Finds the snippets of one crate in a page of documentation.

use std::fs;
use std::path::Path;

/// The parts that a reader copies: dependencies and a `main.rs`.
#[derive(Debug)]
pub struct Snippets {
    pub name: String,
    pub dependencies: String,
    pub main: String,
}

impl Snippets {
    /// The blocks that follow the marks `<!-- first hour: NAME -->` of a page, given by its path from the repository's root.
    ///
    /// # Panics
    ///
    /// If the page has not one block of each kind under this name.
    pub fn of(page: &str, name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let text = fs::read_to_string(root.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        let mark = format!("<!-- first hour: {name} -->\n```");
        let block = |language: &str| {
            let mut blocks = text.split(&mark).skip(1).filter(|block| block.starts_with(language));
            let block = blocks.next().unwrap_or_else(|| panic!("{page} has no {language} block of {name}"));
            assert!(blocks.next().is_none(), "{page} has two {language} blocks of {name}");
            let (_, block) = block.split_once('\n').expect("a block of several lines");
            block.split("```").next().unwrap_or_default().to_owned()
        };
        let main = block("rust");
        assert!(main.lines().all(|line| !line.starts_with("# ")), "a reader does not see hidden lines");
        Self { name: name.to_owned(), dependencies: block("toml"), main }
    }
}

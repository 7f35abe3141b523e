//! The lists of examples are whole.

use std::fs;
use std::path::Path;

/// Each example is named in the list, says itself how it is run, fits on a page, and is run by a test of its name.
#[test]
fn every_example_is_listed_short_and_run() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(here.join(path)).unwrap();
    let list = read("README.md");
    let tests = ["applications", "deployment", "parts"].map(|name| read(&format!("tests/run/{name}.rs"))).concat();
    let mut examples = 0;
    for entry in fs::read_dir(here).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_none_or(|extension| extension != "rs") || name == "lib" {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        assert!(list.contains(&format!("[`{name}`]({name}.rs)")), "README.md does not list {name}");
        assert!(source.contains(&format!("--example {name}")), "{name} does not say how it is run");
        assert!(source.lines().count() < 80, "{name} has 80 lines or more");
        assert!(tests.contains(&format!("fn {name}()")), "no test runs {name}");
        examples += 1;
    }
    assert!(examples >= 18, "{examples} examples");
}

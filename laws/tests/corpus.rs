//! Every input of the corpus, through its law.
#![allow(missing_docs, reason = "a test")]

use std::path::Path;

use headstart_laws::LAWS;

#[test]
fn the_inputs_of_the_corpus_break_no_law() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, run) in LAWS {
        let inputs = std::fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut paths: Vec<_> = inputs.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{name} has no input");
        for path in paths {
            let bytes = std::fs::read(&path).expect("a file");
            // The name of the input that breaks it.
            println!("{}", path.display());
            run(&bytes);
        }
    }
}

#[test]
fn every_law_has_a_fuzz_target() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    for (name, _) in LAWS {
        assert!(targets.join(format!("{name}.rs")).is_file(), "{name} has no target");
    }
}

//! The example site keeps the promises of its README.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

fn site() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/site")
}

/// Every asset that a page needs, through stylesheets and modules, with its size.
fn assets(page: &str) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut unread = vec![page.to_owned()];
    while let Some(file) = unread.pop() {
        let text = fs::read_to_string(site().join(&file)).unwrap();
        for name in text.split("\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            if name.starts_with("assets/") && !found.contains_key(name) {
                let path = site().join(name);
                let len = fs::metadata(&path).unwrap_or_else(|_| panic!("{file} names {name}")).len();
                found.insert(name.to_owned(), len);
                if path.extension().is_some_and(|e| e == "css" || e == "js") {
                    unread.push(name.to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn pages_are_of_the_size_that_is_promised() {
    for (page, count) in [("index.html", 13), ("workshop.html", 15), ("quiet.html", 10), ("404.html", 5)] {
        let assets = assets(page);
        assert_eq!(assets.len(), count, "{page}: {assets:?}");
        assert!(assets.values().sum::<u64>() <= 230 * 1024, "{page}: {assets:?}");
    }
    for page in ["index.html", "workshop.html", "quiet.html"] {
        let len = fs::metadata(site().join(page)).unwrap().len();
        assert!((4096..10240).contains(&len), "{page}: {len}");
    }
}

#[test]
fn the_second_page_shares_half() {
    let (first, second) = (assets("index.html"), assets("workshop.html"));
    let shared = first.keys().filter(|name| second.contains_key(*name)).count();
    assert_eq!((shared, first.len() - shared, second.len() - shared), (8, 5, 7));
}

#[test]
fn names_tell_the_content() {
    let mut count = 0;
    let mut used: Vec<_> =
        ["index.html", "workshop.html", "quiet.html"].iter().flat_map(|p| assets(p).into_keys()).collect();
    used.sort();
    used.dedup();
    for entry in fs::read_dir(site().join("assets")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let hash = HEXLOWER.encode(&Sha256::digest(fs::read(&path).unwrap()));
        assert_eq!(name.split('.').nth(1), Some(&hash[..8]), "{name}");
        assert!(used.contains(&format!("assets/{name}")), "no page needs {name}");
        count += 1;
    }
    assert_eq!(count, used.len());
}

//! BIP 158 filters and their headers.

use sha2::{Digest, Sha256};

use super::*;

#[test]
fn filters_of_ten_testnet_blocks() {
    let vectors = load(include_str!("bip158_codec.json"));
    let filters = vectors["filters"].as_array().unwrap();
    assert_eq!(filters.len(), 10);
    for case in filters {
        let items: Vec<_> = case["items_hex"].as_array().unwrap().iter().map(hex).collect();
        let profile = Bip158::new(key(&case["key_hex"]), int(&case["M"]), int(&case["P"]));
        assert_eq!(profile, Bip158::basic(key(&case["key_hex"])));
        check(profile, &items, &hex(&case["filter_hex"]), Some(&numbers(&case["values"])));
    }
}

#[test]
fn headers_of_ten_testnet_blocks() {
    let codec = load(include_str!("bip158_codec.json"));
    let blocks = load(include_str!("bip158_testnet-19.json"));
    let mut count = 0;
    // The first row names the columns.
    for block in blocks.as_array().unwrap().iter().skip(1) {
        let case = codec["filters"].as_array().unwrap().iter().find(|case| case["height"] == block[0]).unwrap();
        let items: Vec<_> = case["items_hex"].as_array().unwrap().iter().map(hex).collect();
        // Hashes are printed backwards.
        let reversed = |value: &Value| hex(value).into_iter().rev().collect::<Vec<u8>>();
        let key = reversed(&block[1])[..16].try_into().unwrap();
        let filter = Builder::from_keys(Bip158::basic(key), &items).finish();
        assert_eq!(filter, hex(&block[5]));
        let header = twice(&[twice(&filter), reversed(&block[4])].concat());
        assert_eq!(header, reversed(&block[6]));
        count += 1;
    }
    assert_eq!(count, 10);
}

#[test]
fn sixteen_three_byte_items() {
    let case = &load(include_str!("gcs_btcd_rustbitcoin.json"))["rb_filter"];
    let profile = Bip158::basic([0; 16]);
    let items = |name: &str| -> Vec<Vec<u8>> { case[name].as_array().unwrap().iter().map(hex).collect() };
    let bytes = hex(&case["filter_hex_computed"]);
    check(profile, &items("elements_hex"), &bytes, None);

    let view = View::new(profile, &bytes).unwrap();
    let held = |keys: &[Vec<u8>]| {
        let mut held = vec![true; keys.len()];
        assert_eq!(view.contains_many(keys, &mut held).unwrap(), held.iter().filter(|held| **held).count());
        held
    };
    assert_eq!(held(&items("match_any_true")), [false, true]);
    assert_eq!(held(&items("match_any_false")), [false, false]);
    let mut all = items("elements_hex");
    assert_eq!(held(&all), [true; 16]);
    all.push(vec![0xab, 0xcd, 0xef]);
    assert!(!held(&all)[16]);
}

#[test]
fn an_item_may_hash_to_zero() {
    let case = &load(include_str!("gcs_btcd_rustbitcoin.json"))["zero_hash"];
    let profile = Bip158::new(key(&case["key_hex"]), int(&case["M"]), int(&case["P"]));
    let target = int(&case["target_u32_be"]).to_be_bytes();
    let items: Vec<_> = (0..12u32).map(u32::to_be_bytes).chain([target]).collect();
    let bytes = Builder::from_keys(profile, &items).finish();
    let view = View::new(profile, &bytes).unwrap();
    assert_eq!(profile.value(profile.hash(&target), view.layout()), 0);
    assert_eq!(view.iter().next().unwrap().unwrap(), 0);
    check(profile, &items, &bytes, None);
}

#[test]
fn names() {
    let case = &load(include_str!("gcs_btcd_rustbitcoin.json"))["names"];
    let profile = Bip158::new(*b"a key of our own", int(&case["M"]), int(&case["P"]));
    let bytes = Builder::from_keys(profile, strings(&case["contents"])).finish();
    check(profile, &strings(&case["contents"]), &bytes, None);
    let view = View::new(profile, &bytes).unwrap();
    let mut others = strings(&case["contents2"]);
    assert_eq!(view.contains_many(&others, &mut vec![false; others.len()]), Ok(0));
    others.push(strings(&case["contents"])[0].clone());
    assert_eq!(view.contains_many(&others, &mut vec![false; others.len()]), Ok(1));
}

fn key(value: &Value) -> [u8; 16] {
    hex(value).try_into().unwrap()
}

fn twice(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(Sha256::digest(bytes)).to_vec()
}

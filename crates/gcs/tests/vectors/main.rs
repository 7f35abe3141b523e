//! Other implementations' own bytes.

use data_encoding::HEXLOWER;
use headstart_gcs::*;
use serde_json::Value;

mod cookies;
mod digests;
mod filters;

fn load(text: &str) -> Value {
    serde_json::from_str(text).expect("a vector file is JSON")
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|item| item.as_u64().unwrap()).collect()
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn int(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

/// Builds from keys, reads back, asks for each key.
fn check<P: Encode + Copy>(profile: P, keys: &[impl AsRef<[u8]>], bytes: &[u8], values: Option<&[u64]>) {
    assert_eq!(Builder::from_keys(profile, keys).finish(), bytes);
    let set = Set::decode(profile, bytes, keys.len()).unwrap();
    if let Some(values) = values {
        assert_eq!(set.values(), values);
    }
    let view = View::new(profile, bytes).unwrap();
    for key in keys {
        assert!(set.contains(key));
        assert!(view.contains(key).unwrap());
    }
    assert_eq!(set.encode(), bytes);
    assert!(Set::decode_canonical(profile, bytes, keys.len()).is_ok());
    assert_eq!(view.iter().collect::<Result<Vec<_>, _>>().unwrap(), set.values());
}

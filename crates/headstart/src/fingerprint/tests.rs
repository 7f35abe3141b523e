//! Cookies as browsers send them back.

use super::*;
use http::header::COOKIE;
use proptest::prelude::*;

const KEY: [u8; 16] = [3; 16];

fn own() -> Fingerprints {
    Fingerprints::new(CookieFormat::Headstart, KEY).unwrap().unwrap()
}

/// The `Cookie` field that a browser sends back for a `Set-Cookie` field.
fn returned(field: &HeaderValue) -> HeaderMap {
    let pair = field.to_str().unwrap().split(';').next().unwrap();
    HeaderMap::from_iter([(COOKIE, format!("a=b; {pair}").parse().unwrap())])
}

fn check_round_trip(format: CookieFormat) {
    let formats = Fingerprints::new(format, KEY).unwrap().unwrap();
    let mut fingerprint = formats.read(&HeaderMap::new(), 100).fingerprint;
    assert!(formats.set_cookie(&fingerprint).is_none(), "nothing is known, nothing is set");
    fingerprint.insert("/a.css", 1);
    fingerprint.insert("/b.js", 2);
    let read = formats.read(&returned(&formats.set_cookie(&fingerprint).unwrap()), 100);
    assert!(!read.corrupt);
    assert!(read.fingerprint.contains("/a.css", 1) && read.fingerprint.contains("/b.js", 2));
    assert!(!read.fingerprint.contains("/c.png", 1));
    assert!(formats.set_cookie(&read.fingerprint).is_none(), "unchanged");
}

#[test]
fn all_formats_come_back() {
    check_round_trip(CookieFormat::Headstart);
    check_round_trip(CookieFormat::GoCasper { keys: 128, p: 64 });
    check_round_trip(CookieFormat::H2oCasper { capacity_bits: 13 });
}

#[test]
fn a_changed_asset_is_not_held() {
    let mut fingerprint = own().read(&HeaderMap::new(), 0).fingerprint;
    fingerprint.insert("/a.css", 1);
    assert!(fingerprint.contains("/a.css", 1) && !fingerprint.contains("/a.css", 2));
}

#[test]
fn generations_turn_and_are_forgotten() {
    let formats = own();
    let mut first = formats.read(&HeaderMap::new(), 1_000).fingerprint;
    first.insert("/old.css", 1);
    let headers = returned(&formats.set_cookie(&first).unwrap());
    let holds = |day| formats.read(&headers, day).fingerprint.contains("/old.css", 1);
    assert!(holds(1_003) && holds(1_004) && holds(1_007));
    assert!(!holds(1_008), "two generations later it is forgotten");
    assert!(formats.read(&headers, 999).corrupt, "a day in the future");

    let mut second = formats.read(&headers, 1_004).fingerprint;
    second.insert("/new.css", 1);
    let headers = returned(&formats.set_cookie(&second).unwrap());
    let later = formats.read(&headers, 1_008).fingerprint;
    assert!(later.contains("/new.css", 1) && !later.contains("/old.css", 1));
}

#[test]
fn the_cookie_stays_below_its_bound() {
    let formats = own();
    let mut fingerprint = formats.read(&HeaderMap::new(), 0).fingerprint;
    let mut longest = 0;
    for n in 0..2_000 {
        fingerprint.insert(&format!("/assets/{n}.css"), n);
        let field = formats.set_cookie(&fingerprint).unwrap();
        longest = longest.max(field.to_str().unwrap().split(';').next().unwrap().len());
    }
    assert!((700..=1_024).contains(&longest), "{longest} bytes");
    assert!(fingerprint.contains("/assets/1999.css", 1_999));
    assert!(!fingerprint.contains("/assets/0.css", 0), "the first are forgotten");
}

#[test]
fn equal_histories_are_equal_cookies() {
    let cookie = |order: &[u64]| {
        let mut fingerprint = own().read(&HeaderMap::new(), 5).fingerprint;
        for n in order {
            fingerprint.insert(&format!("/{n}"), *n);
        }
        own().set_cookie(&fingerprint)
    };
    assert_eq!(cookie(&[1, 2, 3]), cookie(&[3, 2, 1, 2]));
}

#[test]
fn corrupt_is_empty_and_said() {
    for value in ["", "!", "AQ", "AQAAAAA", "Ag", "AQAAAf8A", &"A".repeat(4_000)] {
        let headers = HeaderMap::from_iter([(COOKIE, format!("{OWN_NAME}={value}").parse().unwrap())]);
        let read = own().read(&headers, 0);
        assert!(read.corrupt && !read.fingerprint.contains("/a", 1), "{value}");
    }
}

#[test]
fn bad_parameters_are_named() {
    let error = |format| Fingerprints::new(format, KEY).err().unwrap();
    assert!(error(CookieFormat::GoCasper { keys: 10, p: 100 }).contains("power of two"));
    assert!(error(CookieFormat::GoCasper { keys: 0, p: 64 }).contains("keys"));
    assert!(error(CookieFormat::H2oCasper { capacity_bits: 16 }).contains("capacity"));
}

proptest! {
    #[test]
    fn any_cookie_is_read(value in "[A-Za-z0-9_-]{0,300}", day: u16) {
        for format in [
            CookieFormat::Headstart,
            CookieFormat::GoCasper { keys: 128, p: 64 },
            CookieFormat::H2oCasper { capacity_bits: 13 },
        ] {
            let formats = Fingerprints::new(format, KEY).unwrap().unwrap();
            let headers = HeaderMap::from_iter([(COOKIE, format!("{}={value}", formats.name()).parse().unwrap())]);
            let mut read = formats.read(&headers, day);
            read.fingerprint.insert("/a.css", 1);
            prop_assert!(read.fingerprint.contains("/a.css", 1));
            prop_assert!(formats.set_cookie(&read.fingerprint).is_none_or(|field| field.len() < 4_096));
        }
    }
}

#[cfg(feature = "fleet")]
#[test]
fn a_rotated_key_is_read_until_the_next_rotation() {
    let of = |present, previous: Option<u8>| own().rotating([present; 16], previous.map(|key| [key; 16]));
    let (first, second, third) = (of(1, None), of(2, Some(1)), of(3, Some(2)));
    let mut fingerprint = first.read(&HeaderMap::new(), 100).fingerprint;
    fingerprint.insert("/a.css", 1);
    fingerprint.insert("/b.js", 2);
    let headers = returned(&first.set_cookie(&fingerprint).unwrap());
    // Another server of the fleet, before and after the rotation.
    for server in [&of(1, Some(9)), &second] {
        let read = server.read(&headers, 101);
        assert!(read.told && read.fingerprint.contains("/a.css", 1) && read.fingerprint.contains("/b.js", 2));
        assert!(!read.fingerprint.contains("/c.png", 1));
    }
    assert!(third.read(&headers, 101).corrupt, "two rotations later it is a stranger's");
    // Added assets go under the new key, and the rest stays readable under the one before.
    let mut renewed = second.read(&headers, 101).fingerprint;
    renewed.insert("/c.png", 3);
    let headers = returned(&second.set_cookie(&renewed).unwrap());
    let read = second.read(&headers, 101).fingerprint;
    assert!(
        ["/a.css", "/b.js", "/c.png"].iter().zip([1, 2, 3]).all(|(path, validator)| read.contains(path, validator))
    );
    let read = third.read(&headers, 101).fingerprint;
    assert!(read.contains("/c.png", 3) && !read.contains("/a.css", 1), "under the key before the last nothing is read");
    // Keys age as they would without a rotation.
    assert!(!second.read(&headers, 109).fingerprint.contains("/c.png", 3));
}

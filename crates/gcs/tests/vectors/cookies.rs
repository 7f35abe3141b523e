//! The cookies of go-casper, of H2O, and our own.

mod go_casper {
    use super::super::*;

    fn vectors() -> Value {
        load(include_str!("go_casper.json"))
    }

    #[test]
    fn cookies() {
        for case in vectors()["cookie"].as_array().unwrap() {
            let bytes = hex(&case["bytes_hex"]);
            let profile = GoCasper::new(int(&case["n"]), int(&case["p"]));
            check(profile, &strings(&case["items"]), &bytes, Some(&numbers(&case["values_sorted"])));
            assert_eq!(to_base64url(&bytes), case["cookie"].as_str().unwrap());
        }
        let words = &vectors()["words_nato"];
        check(GoCasper::new(26, 64), &strings(&words["items"]), &hex(&words["hex"]), None);
    }

    #[test]
    fn the_readme_example_of_go_casper_needs_one_key_not_ten() {
        let cookie = |n| to_base64url(&Builder::from_keys(GoCasper::new(n, 64), ["/static/example.js"]).finish());
        assert_eq!(cookie(1), "JA");
        assert_eq!(cookie(10), "yQA");
    }

    #[test]
    fn push_sequences() {
        for case in vectors()["push_sequences"].as_array().unwrap() {
            let profile = GoCasper::new(int(&case["n"]), int(&case["p"]));
            let cookie = case["client_cookie"].as_str().unwrap_or_default();
            let mut set = Set::decode(profile, &from_base64url_lenient(cookie, 99).unwrap(), 99).unwrap();
            let pushed: Vec<_> =
                strings(&case["targets"]).into_iter().filter(|target| set.insert(target.as_bytes())).collect();
            assert_eq!(pushed, strings(&case["pushed"]));
            assert_eq!(to_base64url(&set.encode()), case["set_cookie"].as_str().unwrap());
        }
    }

    #[test]
    fn values() {
        for case in vectors()["encode_values"].as_array().unwrap() {
            let mut builder = Builder::new(GoCasper::new(4, int(&case["p"])));
            for value in numbers(&case["values"]) {
                builder.insert_value(value);
            }
            assert_eq!(builder.finish(), hex(&case["hex"]));
        }
        for case in vectors()["decode_all"].as_array().unwrap() {
            let set = Set::decode(GoCasper::new(8, int(&case["p"])), &hex(&case["hex"]), 9).unwrap();
            assert_eq!(set.values(), numbers(&case["values"]));
        }
        for case in vectors()["decode_one"].as_array().unwrap() {
            let bytes = hex(&case["hex"]);
            let mut reader = Reader::new(GoCasper::new(8, int(&case["p"])), &bytes).unwrap();
            assert_eq!(reader.next().unwrap().unwrap(), case["value"].as_u64().unwrap());
        }
    }
}

mod h2o_casper {
    use super::super::*;

    #[test]
    fn cookies() {
        let vectors = load(include_str!("h2o_casper_derived.json"));
        for case in vectors["cookies"].as_array().unwrap() {
            assert_eq!(case["remainder_bits"], 6);
            let profile = H2oCasper::new(int(&case["capacity_bits"]));
            let cookie = case["cookie_value"].as_str().unwrap();
            check(profile, &strings(&case["paths"]), &from_base64url_lenient(cookie, 999).unwrap(), None);
            assert_eq!(to_base64url(&Builder::from_keys(profile, strings(&case["paths"])).finish()), cookie);
        }
    }

    #[test]
    fn keys_in_both_byte_orders() {
        let vectors = load(include_str!("h2o_casper.json"));
        for case in vectors["calc_key"].as_array().unwrap() {
            let profile = H2oCasper::new(int(&case["capacity_bits"]));
            let path = case["path"].as_str().unwrap().as_bytes();
            assert_eq!(profile.hash(path), case["key_little_endian"].as_u64().unwrap());
            assert_eq!(profile.big_endian().hash(path), case["key_big_endian"].as_u64().unwrap());
        }
    }

    #[test]
    fn lookup_and_merge() {
        let mut set = Set::new(H2oCasper::default());
        assert_eq!(set.encode(), [0u8; 0]);
        let mut sizes = vec![];
        for path in ["/index.html", "/index.html", "/index.php"] {
            assert_eq!(set.contains(path.as_bytes()), sizes.len() == 1);
            set.union(&Set::from_keys(H2oCasper::default(), [path])).unwrap();
            sizes.push(set.len());
        }
        assert_eq!(sizes, [1, 1, 2]);
    }
}

mod headstart_v1 {
    use super::super::*;

    const KEY: [u8; 16] = *b"0123456789abcdef";

    /// Ours, from a second implementation (a page of Python): a change of these bytes is a new version.
    #[test]
    fn cookies() {
        for (remainder_bits, capacity_bits, keys, cookie) in [
            (7, 6, 0, "E5o"),
            (7, 6, 1, "E5kUbA"),
            (7, 6, 5, "E5jSNs3ykQYZjg"),
            (1, 0, 3, "EIGA"),
            (10, 9, 20, "FSQrAmO8U4lQ439C0YyTTwDA1Gn8jE8p57SW5tSYfwhE_JED_kpmRGAE_4A"),
        ] {
            let profile = HeadstartV1::new(KEY, remainder_bits, capacity_bits);
            let keys: Vec<_> = (0..keys).map(|i| format!("/asset/{i}.js")).collect();
            let bytes = Builder::from_keys(profile, &keys).finish();
            assert_eq!(to_base64url(&bytes), cookie);
            check(profile, &keys, &bytes, None);
            assert_eq!(HeadstartV1::of_bytes(KEY, &bytes), Ok(profile));
        }
    }

    #[test]
    fn the_capacity_follows_the_number_of_keys() {
        for (keys, bits) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1000, 10)] {
            assert_eq!(HeadstartV1::for_keys(KEY, 7, keys).capacity_bits(), bits);
        }
    }
}

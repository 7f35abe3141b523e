//! Each mistake is told by name, with the way out. The wording around it is that of one compiler: after a change of compiler
//! look at what has changed, and write it anew with `TRYBUILD=overwrite cargo test`.

#[test]
fn mistakes_name_the_way_out() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/cases/*.rs");
}

/// The messages are ours, whatever the compiler says around them.
#[test]
fn every_message_is_one_that_a_trait_of_ours_carries() {
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let said = |name: &str| std::fs::read_to_string(cases.join(format!("{name}.stderr"))).unwrap();
    for (case, words) in [
        ("a_handler", "is not an HTTP service that Headstart can serve"),
        ("a_handler", "an axum handler goes into `Router::new().fallback(handler)`"),
        ("a_make_service", "goes to `Headstart::serve_make_service`"),
        ("a_router_without_its_state", "needs `.with_state(..)` first"),
        ("another_body", "is not an HTTP service that Headstart can serve"),
        ("a_listener_of_std", "becomes one of tokio by `set_nonblocking(true)` and `from_std`"),
        ("never_awaited", "a server runs when it is awaited"),
    ] {
        assert!(said(case).contains(words), "{case} does not say: {words}");
    }
}

//! Each mistake is told by name, with the way out: the lines are ours, whatever a compiler writes around them.

use std::process::Command;

/// The compiler's message on one mistake.
fn said(case: &str) -> String {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["check", "--quiet", "--package", "messages", "--features", "mistakes", "--bin", case]);
    let checked = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(!checked.status.success(), "{case} compiles");
    String::from_utf8_lossy(&checked.stderr).into_owned()
}

#[test]
fn mistakes_name_the_way_out() {
    for (case, words) in [
        ("a_handler", "is not an HTTP service that Headstart can serve"),
        ("a_handler", "an axum handler goes into `Router::new().fallback(handler)`"),
        ("a_make_service", "goes to `Headstart::serve_make_service`"),
        ("a_router_without_its_state", "needs `.with_state(..)` first"),
        ("another_body", "expected function signature `fn(http::Request<Body>) -> _`"),
        ("a_listener_of_std", "is not a listener that Headstart can serve"),
        ("a_listener_of_std", "becomes one of tokio by `set_nonblocking(true)` and `from_std`"),
        ("never_awaited", "a server runs when it is awaited"),
    ] {
        let said = said(case);
        assert!(said.contains(words), "{case} does not say: {words}\n{said}");
        assert!(!said.contains("remove the `.await`"), "{case} leads to a server that never runs\n{said}");
    }
}

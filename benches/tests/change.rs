//! Rows of `cargo xtask bench change` in brief.

#[test]
fn after_a_change_the_right_names_are_hinted() {
    headstart_benches::change::brief();
}

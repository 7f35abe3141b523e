//! Whether a program is installed.

use std::io::Write as _;

/// Whether these programs are all there. What is missing is a failure under `CI=true` and is said past the test runner's
/// capture otherwise, so that nobody takes silence for a pass.
///
/// # Panics
///
/// Under `CI=true`, if one is missing.
pub fn have(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().copied().filter(|program| !is_on_path(program)).collect();
    if missing.is_empty() {
        return true;
    }
    let asking = std::thread::current().name().unwrap_or("a test").to_owned();
    let text = format!("!! {} not installed: NOT TESTED: {asking}", missing.join(", "));
    assert!(!std::env::var("CI").is_ok_and(|value| value == "true" || value == "1"), "{text}");
    // Not `eprintln!`, which the test runner would keep to itself.
    let _ = writeln!(std::io::stderr(), "{text}");
    false
}

fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

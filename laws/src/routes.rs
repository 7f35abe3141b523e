//! Any host and path: the site that answers is the one of the path as the strictest and the most lenient reader resolve it.

use crate::server::routes::Routes;

/// One input: host and path, a line each.
///
/// # Panics
///
/// If the law is broken.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (host, path) = text.split_once('\n').unwrap_or(("", &text));
    let mut routes = Routes::default();
    for (host, prefix, to) in
        [("a.example", "/app", 1), ("a.example", "/", 2), ("*.example", "/app/inner", 3), ("", "/", 4)]
    {
        assert!(routes.insert(host, prefix, to));
    }
    let Ok(found) = routes.look_up(host, path) else { return };
    assert!(found.is_some() || !path.starts_with('/'), "there is a site for all");
    // A path that somebody resolves out of the prefix, however often it is decoded, belongs to no site in it.
    let is_app = |path: &str| path == "/app" || path.starts_with("/app/");
    if found == Some(&1) {
        let mut reading = path.to_owned();
        for _ in 0..2 {
            assert!(is_app(&resolve(&reading)), "{path} is {}", resolve(&reading));
            reading = decode(&reading);
        }
    }
}

/// As RFC 3986, section 5.2.4, with the parameters of dot segments left out.
fn resolve(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split(['/', '\\']).skip(1) {
        match segment.split(';').next().unwrap_or_default() {
            ".." => drop(segments.pop()),
            "." => {}
            _ => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

fn decode(path: &str) -> String {
    let codes = [
        ("%2e", "."),
        ("%2E", "."),
        ("%2f", "/"),
        ("%2F", "/"),
        ("%5c", "\\"),
        ("%5C", "\\"),
        ("%3b", ";"),
        ("%3B", ";"),
    ];
    codes.iter().fold(path.to_owned(), |path, (code, meant)| path.replace(code, meant))
}

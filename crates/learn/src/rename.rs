//! Fingerprints in asset names, which change when the asset does.

/// The path with its fingerprint replaced by `*`, if it has one.
///
/// A fingerprint is `name.<hash>.ext`, `name-<hash>.ext` or the value of a query
/// parameter that is called as versions are. A hash is six characters or more of
/// letters, digits and `_` with a digit among them, and eight or more if all are digits.
pub(crate) fn stem(path: &str) -> Option<String> {
    let (file, query) = match path.split_once('?') {
        Some((file, query)) => (file, Some(query)),
        None => (path, None),
    };
    match query {
        Some(query) => versioned(file, query),
        None => named(file),
    }
}

/// Query parameters that carry a version.
const VERSION_KEYS: [&str; 7] = ["h", "hash", "rev", "t", "v", "ver", "version"];

fn versioned(file: &str, query: &str) -> Option<String> {
    let mut found = false;
    let mut stem = String::with_capacity(file.len() + query.len() + 1);
    stem.push_str(file);
    for (at, parameter) in query.split('&').enumerate() {
        stem.push(if at == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((key, value)) if VERSION_KEYS.contains(&key) && !value.is_empty() => {
                found = true;
                stem.push_str(key);
                stem.push_str("=*");
            }
            _ => stem.push_str(parameter),
        }
    }
    found.then_some(stem)
}

fn named(file: &str) -> Option<String> {
    let name_start = file.rfind('/').map_or(0, |at| at + 1);
    let name = file.get(name_start..)?;
    let (before, extension) = name.rsplit_once('.')?;
    let mark = before.rfind(['.', '-'])?;
    let hash = before.get(mark + 1..)?;
    if mark == 0 || !is_hash(hash) {
        return None;
    }
    let kept = file.get(..name_start + mark + 1)?;
    Some(format!("{kept}*.{extension}"))
}

fn is_hash(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let spelled = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let enough = if digits == text.len() { 8 } else { 6 };
    spelled && digits > 0 && text.len() >= enough
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_found() {
        for (path, expected) in [
            ("/app.3f2a9c.js", Some("/app.*.js")),
            ("/a/b/main-BxY12_kQ.css", Some("/a/b/main-*.css")),
            ("/s.css?v=2", Some("/s.css?v=*")),
            ("/s.css?theme=x&ver=1.2", Some("/s.css?theme=x&ver=*")),
            ("/img?id=7", None),
            ("/jquery-1.8.3.min.js", None),
            ("/a.b1c2d3/plain.js", None),
            ("/photo-2015.png", None),
            ("/photo-20150517.png", Some("/photo-*.png")),
            ("/.a1b2c3d4.js", None),
            ("/app.js", None),
            ("/fallback.js", None),
            ("", None),
        ] {
            assert_eq!(stem(path).as_deref(), expected, "{path}");
        }
    }
}

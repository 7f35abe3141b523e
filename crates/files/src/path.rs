//! The path of a request, decoded once into the name of a file below the served directory.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::config::Dotfiles;

/// A name below the served directory: components joined by `/`, none of them empty, `.`, `..` or hidden. It is empty or
/// ends in `/` if it names a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SitePath<'a>(Cow<'a, str>);

/// Why a path names no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    /// No client that means well writes it: answered 400.
    Malformed,
    /// Well formed, but nothing of that name is ever served: answered 404.
    Absent,
}

impl<'a> SitePath<'a> {
    /// Reads the path of a request target, percent-encoding and all, without its query. A path that needs no decoding is
    /// not copied.
    ///
    /// # Errors
    ///
    /// [`Rejected::Malformed`] for a broken percent sequence, a control character, a backslash, an encoded slash, or
    /// a `.` or `..` component: clients resolve those before they send. [`Rejected::Absent`] for an empty component
    /// (`//host` would turn a redirect into an open one), for a name that begins with a dot, as far as `dotfiles` says
    /// so, and for a name that is not UTF-8.
    pub(super) fn parse(path: &'a str, dotfiles: Dotfiles) -> Result<Self, Rejected> {
        let Some(raw) = path.strip_prefix('/') else {
            return Err(Rejected::Malformed);
        };
        if dotfiles != Dotfiles::Serve && is_leftover(raw) {
            return Err(Rejected::Absent);
        }
        if is_plain(path) {
            return Ok(Self(Cow::Borrowed(raw)));
        }
        check_escapes(raw)?;
        let decoded = percent_decode_str(raw).decode_utf8().map_err(|_| Rejected::Absent)?;
        if decoded.chars().any(|c| c.is_control() || c == '\\') {
            return Err(Rejected::Malformed);
        }
        if decoded.split('/').any(|component| matches!(component, "." | "..")) {
            return Err(Rejected::Malformed);
        }
        if dotfiles != Dotfiles::Serve && is_leftover(&decoded) {
            return Err(Rejected::Absent);
        }
        // The part after the last slash may be empty: that is the directory itself.
        let directory = decoded.strip_suffix('/').unwrap_or(&decoded);
        if !decoded.is_empty() {
            let hidden = |(at, component): (usize, &str)| match dotfiles {
                Dotfiles::WellKnown if at == 0 && component == ".well-known" => false,
                Dotfiles::Serve => component.is_empty(),
                _ => component.is_empty() || component.starts_with('.'),
            };
            if directory.split('/').enumerate().any(hidden) {
                return Err(Rejected::Absent);
            }
        }
        Ok(Self(decoded))
    }

    /// The name, relative to the served directory.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is the file one that an editor or a merge has left behind: a backup or a swap file?
fn is_leftover(path: &str) -> bool {
    const ENDINGS: [&str; 6] = [".bak", ".orig", ".rej", ".save", ".swo", ".swp"];
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with('~')
        || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Is the path of letters that stand for themselves, without an empty or a hidden component? One pass, which is all that
/// most requests cost.
fn is_plain(path: &str) -> bool {
    let mut after_slash = false;
    path.bytes().all(|byte| {
        let fine = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'+' | b'@' | b',' => true,
            b'.' | b'/' => !after_slash,
            _ => false,
        };
        after_slash = byte == b'/';
        fine
    })
}

/// Every `%` begins two hexadecimal digits, which do not spell a slash.
fn check_escapes(raw: &str) -> Result<(), Rejected> {
    let mut rest = raw.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [b'2', b'f' | b'F', ..]) => return Err(Rejected::Malformed),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => after,
            (b'%', _) => return Err(Rejected::Malformed),
            _ => tail,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Result<&str, Rejected>) {
        let parsed = SitePath::parse(path, Dotfiles::WellKnown);
        assert_eq!(parsed.as_ref().map(SitePath::as_str).map_err(|e| *e), expected, "{path:?}");
    }

    #[test]
    fn ordinary_names() {
        check("/", Ok(""));
        check("/notes/", Ok("notes/"));
        check("/caf%C3%A9/", Ok("café/"));
        check("/notes", Ok("notes"));
        check("/a/b.c.css", Ok("a/b.c.css"));
        check("/caf%C3%A9%20menu.html", Ok("café menu.html"));
        check("/.well-known/security.txt", Ok(".well-known/security.txt"));
        check("/...", Err(Rejected::Absent));
    }

    #[test]
    fn what_editors_leave_behind_is_not_there() {
        for path in ["/index.html~", "/a/config.php.bak", "/index.html%7e", "/%23index.html%23", "/x.swp", "/a.orig"] {
            check(path, Err(Rejected::Absent));
            assert!(SitePath::parse(path, Dotfiles::Serve).is_ok(), "{path}");
        }
        check("/~user/", Ok("~user/"));
        check("/bak", Ok("bak"));
    }

    #[test]
    fn decoded_once() {
        check("/%252e%252e/x", Ok("%2e%2e/x"));
        check("/100%25", Ok("100%"));
    }

    #[test]
    fn malformed() {
        for path in [
            "",
            "*",
            "x",
            "/..",
            "/../x",
            "/a/../x",
            "/a/..",
            "/./x",
            "/%2e%2e/x",
            "/.%2E/x",
            "/a%2fb",
            "/a%2Fb",
            "/%2f",
            "/a\\b",
            "/%5c..%5cx",
            "/a%00",
            "/%00",
            "/a%0ab",
            "/%7f",
            "/%c2%80",
            "/%",
            "/%2",
            "/%zz",
            "/a%",
            "/%u002e",
        ] {
            check(path, Err(Rejected::Malformed));
        }
    }

    #[test]
    fn absent() {
        for path in [
            "//",
            "//x",
            "/a//b",
            "/a//",
            "/.env",
            "/.git/config",
            "/a/.hidden",
            "/%2egit/config",
            "/a/.well-known/x",
            "/.well-known/.x",
            "/%ff",
            "/%c0%ae%c0%ae/x",
            "/.well-knownx",
        ] {
            check(path, Err(Rejected::Absent));
        }
    }

    #[test]
    fn dotfiles() {
        let parse = |path, dotfiles| SitePath::parse(path, dotfiles).is_ok();
        assert!(parse("/.env", Dotfiles::Serve) && parse("/a/.b/...", Dotfiles::Serve));
        assert!(!parse("/../x", Dotfiles::Serve) && !parse("/%2e/x", Dotfiles::Serve) && !parse("//", Dotfiles::Serve));
        assert!(!parse("/.well-known/x", Dotfiles::Deny) && !parse("/a/.b", Dotfiles::Deny));
    }

    #[test]
    fn never_leaves_the_directory() {
        // All words of up to seven letters over the alphabet that matters.
        let letters = ["/", ".", "%2e", "%2f", "\\", "%5c", "a"];
        let mut words = vec![String::from("/")];
        for _ in 0..6 {
            let longer: Vec<_> = words.iter().flat_map(|w| letters.iter().map(move |l| format!("{w}{l}"))).collect();
            for word in &longer {
                for dotfiles in [Dotfiles::Deny, Dotfiles::WellKnown, Dotfiles::Serve] {
                    let Ok(name) = SitePath::parse(word, dotfiles) else { continue };
                    let path = std::path::Path::new(name.as_str());
                    assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))), "{word:?}");
                }
            }
            words = longer;
        }
    }
}

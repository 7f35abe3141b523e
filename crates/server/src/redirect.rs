//! Redirects of a site: from a pattern of paths to a place that is made of what the pattern caught.

use std::fmt;

/// Bytes of a `Location`; a longer one is not made.
const MAX_LOCATION: usize = 8 * 1024;
/// Stars of a pattern.
const MAX_STARS: usize = 9;

/// A pattern of paths and where they lead.
///
/// `*` is any text without a slash, `**` any text; `$1` to `$9` in the place stand for what the stars caught, in their
/// order. The query of the request goes along unless the place has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    from: Vec<Part>,
    to: Vec<Piece>,
    status: http::StatusCode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `*`, or `**` which takes slashes, too.
    Star {
        slashes: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The number of a star, from 0.
    Caught(usize),
}

/// Why a redirect cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    From(String),
    To(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::From(why) | Wrong::To(why) => f.write_str(why),
        }
    }
}

impl Redirect {
    /// # Errors
    ///
    /// The side that is wrong, and why.
    pub(crate) fn new(from: &str, to: &str, status: http::StatusCode) -> Result<Self, Wrong> {
        if !from.starts_with('/') {
            return Err(Wrong::From("has to begin with a slash".into()));
        }
        let parts = parts(from);
        let stars = parts.iter().filter(|part| matches!(part, Part::Star { .. })).count();
        if stars > MAX_STARS {
            return Err(Wrong::From(format!("has more than {MAX_STARS} stars")));
        }
        let pieces = pieces(to, stars)?;
        let redirect = Self { from: parts, to: pieces, status };
        redirect.check_place(to)?;
        Ok(redirect)
    }

    fn check_place(&self, to: &str) -> Result<(), Wrong> {
        let wrong = |why: &str| Err(Wrong::To(why.to_owned()));
        let authority =
            to.split_once("://").map(|(scheme, rest)| (scheme, rest.find('/').map_or(rest, |at| &rest[..at])));
        match authority {
            Some((scheme, _)) if !matches!(scheme, "http" | "https") => wrong("is neither http:// nor https://"),
            Some((_, "")) => wrong("names no host"),
            // Who asks would choose where the browser goes.
            Some((_, host)) if host.contains('$') => {
                wrong("takes its host from the request: anyone could lead elsewhere")
            }
            None if !to.starts_with('/') || to.starts_with("//") => {
                wrong("has to be a path, which begins with a slash, or a URL with http:// or https://")
            }
            _ if to.parse::<http::Uri>().is_err() && !to.contains('$') => wrong("is no URL"),
            // With the same text in place of each star.
            None if self.leads_to_itself() => wrong("leads to what `from` matches: a browser would go in circles"),
            _ => Ok(()),
        }
    }

    fn leads_to_itself(&self) -> bool {
        let sample: String =
            self.from.iter().map(|part| if let Part::Text(text) = part { text } else { "x" }).collect();
        let there = self.location(&sample, None).unwrap_or_default();
        let path = there.split(['?', '#']).next().unwrap_or_default();
        path.starts_with('/') && self.caught(path).is_some()
    }

    pub(crate) fn status(&self) -> http::StatusCode {
        self.status
    }

    /// The target of the redirect, if the pattern matches the path.
    pub(crate) fn location(&self, path: &str, query: Option<&str>) -> Option<String> {
        let caught = self.caught(path)?;
        let mut location = String::new();
        for piece in &self.to {
            match piece {
                Piece::Text(text) => location.push_str(text),
                // Browsers take a backslash for a slash.
                Piece::Caught(at) => location.push_str(&caught.get(*at)?.replace('\\', "%5C")),
            }
        }
        if location.starts_with("//") {
            // It would name another host.
            location = format!("/{}", location.trim_start_matches('/'));
        }
        if let Some(query) = query.filter(|_| !location.contains('?')) {
            let end = location.find('#').unwrap_or(location.len());
            location.insert_str(end, &format!("?{query}"));
        }
        (location.len() <= MAX_LOCATION).then_some(location)
    }

    fn caught<'a>(&self, path: &'a str) -> Option<Vec<&'a str>> {
        let mut caught = Vec::new();
        matches(&self.from, path, &mut caught).then_some(caught)
    }
}

/// Whether the parts match the whole text. A star takes as much as it can; with at most nine of them and a path of at most
/// 8 KiB the search is bounded by giving up a star's last text once the rest fails.
fn matches<'a>(parts: &[Part], text: &'a str, caught: &mut Vec<&'a str>) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((Part::Text(part), rest)) => {
            text.strip_prefix(part.as_str()).is_some_and(|text| matches(rest, text, caught))
        }
        Some((Part::Star { slashes }, [])) => {
            let whole = *slashes || !text.contains('/');
            if whole {
                caught.push(text);
            }
            whole
        }
        // The part after a star begins with text: the nearest place where that stands is enough to look from.
        Some((Part::Star { slashes }, rest)) => {
            let Some(Part::Text(next)) = rest.first() else { return false };
            let limit = if *slashes { text.len() } else { text.find('/').unwrap_or(text.len()) };
            let last = !rest.iter().skip(1).any(|part| matches!(part, Part::Star { .. }));
            let found = if last {
                // Only the end can match.
                let at = text.len().checked_sub(next.len()).filter(|at| *at <= limit);
                at.filter(|at| text.get(*at..) == Some(next))
            } else {
                text.find(next.as_str()).filter(|at| *at <= limit)
            };
            let Some(at) = found else { return false };
            let (mine, after) = text.split_at(at);
            caught.push(mine);
            matches(rest, after, caught)
        }
    }
}

/// Text and stars in turn; stars side by side are one.
fn parts(from: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = from;
    while let Some(at) = rest.find('*') {
        let (text, stars) = rest.split_at(at);
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        let after = stars.trim_start_matches('*');
        parts.push(Part::Star { slashes: stars.len() - after.len() > 1 });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    parts
}

fn pieces(to: &str, stars: usize) -> Result<Vec<Piece>, Wrong> {
    if !to.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Wrong::To("has to be printable ASCII without spaces; write other characters as %XX".into()));
    }
    let mut pieces = Vec::new();
    let mut rest = to;
    while let Some(at) = rest.find('$') {
        let (text, after) = rest.split_at(at);
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        let digit = after.chars().nth(1).and_then(|c| c.to_digit(10)).filter(|digit| *digit > 0);
        let number = digit.map(|digit| digit as usize - 1);
        match number.filter(|number| *number < stars) {
            Some(number) => pieces.push(Piece::Caught(number)),
            None => return Err(Wrong::To(format!("has a $ that stands for no star of `from`, which has {stars}"))),
        }
        rest = after.get(2..).unwrap_or_default();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn redirect(from: &str, to: &str) -> Redirect {
        Redirect::new(from, to, StatusCode::PERMANENT_REDIRECT).unwrap()
    }

    #[test]
    fn what_the_stars_catch_goes_along() {
        for (from, to, path, expected) in [
            ("/old", "/new", "/old", Some("/new")),
            ("/old", "/new", "/older", None),
            ("/blog/*/*", "/$2/$1", "/blog/2024/a", Some("/a/2024")),
            ("/blog/*", "/$1", "/blog/2024/a", None),
            ("/docs/**", "https://docs.example.org/$1", "/docs/a/b.html", Some("https://docs.example.org/a/b.html")),
            ("/docs/**", "/x/$1", "/docs/", Some("/x/")),
            ("/*.htm", "/$1.html", "/a.b.htm", Some("/a.b.html")),
            ("/a/**/c/*", "/$1-$2", "/a/b/c/d", Some("/b-d")),
            ("/**", "https://b.example/$1", "/p", Some("https://b.example/p")),
        ] {
            assert_eq!(redirect(from, to).location(path, None).as_deref(), expected, "{from} {path}");
        }
    }

    #[test]
    fn the_query_goes_along_unless_there_is_one() {
        let location = |to: &str| redirect("/a", to).location("/a", Some("q=1"));
        assert_eq!(location("/b").as_deref(), Some("/b?q=1"));
        assert_eq!(location("/b?r=2").as_deref(), Some("/b?r=2"));
        assert_eq!(location("/b#f").as_deref(), Some("/b?q=1#f"));
    }

    /// Nobody can make a redirect lead to a host that the operator did not name.
    #[test]
    fn the_host_is_the_operators() {
        for path in ["/x//evil.example/", "/x/\\evil.example", "/x/\\/evil.example", "/x///evil.example"] {
            let location = redirect("/x/**", "/$1").location(path, None).unwrap();
            assert!(location.starts_with('/') && !location.starts_with("//") && !location.contains('\\'), "{location}");
        }
    }

    #[test]
    fn mistakes() {
        let wrong = |from: &str, to: &str| Redirect::new(from, to, StatusCode::FOUND).unwrap_err();
        assert!(matches!(wrong("old", "/new"), Wrong::From(_)));
        assert!(matches!(wrong("/*/*/*/*/*/*/*/*/*/*", "/"), Wrong::From(_)));
        for (to, why) in [
            ("new", "begins with a slash"),
            ("//evil.example/", "begins with a slash"),
            ("ftp://a/", "neither http"),
            ("https:///x", "names no host"),
            ("https://$1.example/", "host from the request"),
            ("/$2", "stands for no star"),
            ("/$", "stands for no star"),
            ("/a b", "printable ASCII"),
            ("/old/x", "in circles"),
        ] {
            let found = wrong("/old/*", to).to_string();
            assert!(found.contains(why), "{to}: {found}");
        }
        assert!(Redirect::new("/old/*", "/new/$1", StatusCode::FOUND).is_ok());
    }
}

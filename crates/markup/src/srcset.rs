//! `srcset` (HTML, 4.8.4.2.5): candidates with their descriptors.

use crate::asset::Srcset;
use crate::location::{Location, Target};

/// Most candidates that are kept; a list with more is not used at all.
const MAX_CANDIDATES: usize = 32;

/// Candidates, or `None` where the list cannot be used.
pub(crate) type Parsed = Option<Srcset>;

/// The candidates of a `srcset`, with URLs that do not depend on the page. `None` if it names nothing, or too much.
pub(crate) fn parse(page: &Location, base: &Location, srcset: &str, sizes: Option<&str>) -> Parsed {
    let (mut written, mut paths, mut count) = (String::new(), Vec::new(), 0);
    for (reference, descriptors) in candidates(srcset) {
        count += 1;
        if count > MAX_CANDIDATES {
            return None;
        }
        if written.is_empty() {
            written.reserve(srcset.len());
        } else {
            written.push_str(", ");
        }
        match page.resolve_from(base, reference)? {
            Target::Own(path) => {
                written.push_str(&path);
                paths.push(path);
            }
            // Another origin's candidate is left as it is where it is absolute.
            Target::Other(_) if reference.contains("//") => written.push_str(reference),
            Target::Other(_) => return None,
        }
        if !descriptors.is_empty() {
            written.push(' ');
            written.push_str(descriptors);
        }
    }
    if paths.is_empty() {
        return None;
    }
    let sizes = sizes.map(str::trim).filter(|sizes| !sizes.is_empty()).map(Into::into);
    Some(Srcset { candidates: written.into(), sizes, paths })
}

/// URL and descriptors of each candidate.
fn candidates(mut rest: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|char: char| char.is_ascii_whitespace() || char == ',');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|char: char| char.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, after) = rest.split_at_checked(end)?;
        // A comma at the end of the URL ends the candidate; one inside belongs to the URL.
        let bare = url.trim_end_matches(',');
        if bare.len() < url.len() {
            rest = after;
            return Some((bare, ""));
        }
        let mut depth = 0;
        let end = after.find(|char| {
            match char {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            char == ',' && depth <= 0
        });
        let (descriptors, next) = after.split_at_checked(end.unwrap_or(after.len()))?;
        rest = next;
        Some((bare, descriptors.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(srcset: &str) -> Option<(String, usize)> {
        let page = Location::new("https", "a.example", "/dir/").unwrap();
        parse(&page, &page, srcset, None).map(|srcset| (srcset.candidates.into(), srcset.paths.len()))
    }

    #[test]
    fn candidates_are_read() {
        for (srcset, expected) in [
            ("a.png", Some(("/dir/a.png", 1))),
            (" a.png 1x, /b.png  2x ", Some(("/dir/a.png 1x, /b.png 2x", 2))),
            ("a.png, b.png 2x", Some(("/dir/a.png, /dir/b.png 2x", 2))),
            ("/a,b.png 100w,/c.png 200w", Some(("/a,b.png 100w, /c.png 200w", 2))),
            ("a.png 1x, https://b.example/c.png 2x", Some(("/dir/a.png 1x, https://b.example/c.png 2x", 1))),
            ("https://b.example/c.png", None),
            ("", None),
            (",, ,", None),
            ("data:image/png,x 1x", None),
        ] {
            assert_eq!(parsed(srcset), expected.map(|(text, count)| (text.to_owned(), count)), "{srcset:?}");
        }
        assert_eq!(parsed(&"a.png 1x,".repeat(MAX_CANDIDATES + 1)), None);
    }
}

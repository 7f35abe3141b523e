//! All that is wrong with a configuration, not only the first of it.

use std::cell::RefCell;
use std::fmt;

use super::place::{At, Place};

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    place: Place,
    /// `learn.window`; empty for what concerns no one key.
    key: String,
    message: String,
}

impl Problem {
    /// One that has no place in a file.
    pub(crate) fn of_program(message: impl Into<String>) -> Self {
        Self { place: Place::named(""), key: String::new(), message: message.into() }
    }

    /// One at the place of a value.
    pub(crate) fn at<T>(at: &At<T>, message: impl Into<String>) -> Self {
        Self { place: at.place.clone(), key: at.key.clone(), message: message.into() }
    }

    /// Whether it has no place.
    pub(crate) fn is_of_program(&self) -> bool {
        self.place().is_empty()
    }

    /// `FILE:LINE:COLUMN`, or the name of the flag; empty for what has no place.
    pub(crate) fn place(&self) -> String {
        self.place.to_string()
    }

    /// The mistake, after the name of the key.
    pub(crate) fn text(&self) -> String {
        if self.key.is_empty() { self.message.clone() } else { format!("{}: {}", self.key, self.message) }
    }

    /// Line and column, for putting them in order.
    pub(crate) fn position(&self) -> Option<(usize, usize)> {
        self.place.position()
    }

    /// The line in its file.
    fn line(&self) -> Option<usize> {
        self.place.position().map(|(line, _)| line)
    }
}

/// `FILE:LINE:COLUMN: KEY: MESSAGE`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place().as_str() {
            "" => f.write_str(&self.text()),
            place => write!(f, "{place}: {}", self.text()),
        }
    }
}

/// Problems found so far. Reading goes on after one.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: RefCell<Vec<Problem>>,
    /// Lines that are no TOML: what else is said about them would be a consequence.
    broken_lines: RefCell<Vec<usize>>,
}

impl Problems {
    pub(crate) fn add(&self, place: &Place, key: impl Into<String>, message: impl Into<String>) {
        let problem = Problem { place: place.clone(), key: key.into(), message: message.into() };
        if problem.line().is_some_and(|line| self.broken_lines.borrow().contains(&line)) {
            return;
        }
        self.found.borrow_mut().push(problem);
    }

    /// Something is wrong with a value that was read.
    pub(crate) fn add_at<T>(&self, at: &At<T>, message: impl Into<String>) {
        self.add(&at.place, &*at.key, message);
    }

    /// A line that is no TOML.
    pub(crate) fn add_syntax(&self, place: &Place, message: impl Into<String>) {
        self.add(place, "", message);
        self.broken_lines.borrow_mut().extend(place.position().map(|(line, _)| line));
    }

    /// Adds those of another file.
    pub(crate) fn take(&self, others: Self) {
        self.found.borrow_mut().extend(others.found.into_inner());
    }

    /// All of them in order of their place: flags first.
    pub(crate) fn into_sorted(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(Problem::position);
        found
    }
}

/// The nearest of `known` to a `name` that is not one of them, if one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let allowed = 1 + name.len() / 4;
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&name, known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// The same for names that are compared as they are.
pub(crate) fn nearest_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The prefix is the same in all of them.
    let allowed = 1 + name.len().saturating_sub("HEADSTART_".len()) / 4;
    let near = known.into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known));
    near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_suggested_and_the_far_is_not() {
        let known = ["half_life", "window", "min_networks", "holdout"];
        assert_eq!(nearest("windwo", known), Some("window"));
        assert_eq!(nearest("Half-Life", known), Some("half_life"));
        assert_eq!(nearest("min_network", known), Some("min_networks"));
        assert_eq!(nearest("compression", known), None);
        assert_eq!(nearest("", known), None);
    }
}

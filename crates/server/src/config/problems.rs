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
        Self { place: Place::named("headstart"), key: String::new(), message: message.into() }
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
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Where problems are gathered while reading goes on.
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

/// What was asked for if the `name` is not one of `known`: the nearest, if one is near.
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

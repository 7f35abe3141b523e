//! Reading one table: each key asked for by name and type, and at the end whatever was not asked for is wrong.

use super::place::{At, Place};
use super::problems::{Problems, nearest};
use super::tree::{Node, Table, Value};
use super::values::Wanted;

/// A table that is being read.
pub(crate) struct Section<'p> {
    /// `learn`, `site[2]`; empty for the file itself.
    name: String,
    place: Place,
    entries: Table,
    asked: Vec<&'static str>,
    problems: &'p Problems,
}

impl<'p> Section<'p> {
    /// A file, or all that was set.
    pub(crate) fn root(node: Node, problems: &'p Problems) -> Self {
        Self::open(String::new(), node, problems)
    }

    fn open(name: String, node: Node, problems: &'p Problems) -> Self {
        let entries = match node.value {
            Value::Table(entries) => entries,
            other => {
                problems.add(&node.place, &*name, format!("has to be a table, not {}", other.what()));
                Table::new()
            }
        };
        Self { name, place: node.place, entries, asked: Vec::new(), problems }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The full name of a key of this table.
    pub(crate) fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Something is wrong with the table as a whole.
    pub(crate) fn problem(&self, message: impl Into<String>) {
        self.problems.add(&self.place, &*self.name, message);
    }

    /// Something is wrong with a value that was read.
    pub(crate) fn problem_at<T>(&self, at: &At<T>, message: impl Into<String>) {
        self.problems.add_at(at, message);
    }

    /// The value of a key, if it is there and is what is wanted.
    pub(crate) fn get<T: Wanted>(&mut self, key: &'static str) -> Option<At<T>> {
        let (_, node) = self.take(key)?;
        self.read(self.name_of(key), &node)
    }

    /// The values of a key that holds a list; one alone is a list of one, and text of the command line is split at commas.
    pub(crate) fn list<T: Wanted>(&mut self, key: &'static str) -> Option<Vec<At<T>>> {
        let (_, node) = self.take(key)?;
        let name = self.name_of(key);
        Some(items(node).iter().filter_map(|item| self.read(name.clone(), item)).collect())
    }

    /// A table of free keys, such as names of header fields, in the order of the file.
    pub(crate) fn pairs<T: Wanted>(&mut self, key: &'static str) -> Vec<(At<String>, At<T>)> {
        let mut section = self.section(key);
        let entries = std::mem::take(&mut section.entries);
        let pair = |(key, (place, node)): (String, (Place, Node))| {
            let name = section.name_of(&key);
            let value = section.read(name.clone(), &node)?;
            Some((At { value: key, place, key: name }, value))
        };
        let mut pairs: Vec<(At<String>, At<T>)> = entries.into_iter().filter_map(pair).collect();
        pairs.sort_by_key(|(key, _)| key.place.position());
        pairs
    }

    /// The table of a key; an empty one if there is none.
    pub(crate) fn section(&mut self, key: &'static str) -> Section<'p> {
        let name = self.name_of(key);
        match self.take(key) {
            Some((_, node)) => Section::open(name, node, self.problems),
            None => Section::open(
                name,
                Node { value: Value::Table(Table::new()), place: self.place.clone() },
                self.problems,
            ),
        }
    }

    /// The tables of a key, each with its number, from 1: `[[site]]`. One alone (`[site]`) is one of one.
    pub(crate) fn sections(&mut self, key: &'static str) -> Option<Vec<Section<'p>>> {
        let name = self.name_of(key);
        let (_, node) = self.take(key)?;
        let open = |(number, node)| Section::open(format!("{name}[{}]", number + 1), node, self.problems);
        Some(items(node).into_iter().enumerate().map(open).collect())
    }

    /// The same where an item may be text for short: the value of the key `short` of its table.
    pub(crate) fn sections_or_text(&mut self, key: &'static str, short: &str) -> Option<Vec<Section<'p>>> {
        let name = self.name_of(key);
        let (_, node) = self.take(key)?;
        let open = |(number, node): (usize, Node)| {
            let node = if matches!(node.value, Value::Table(_)) { node } else { Node::table_of(short, node) };
            Section::open(format!("{name}[{}]", number + 1), node, self.problems)
        };
        Some(items(node).into_iter().enumerate().map(open).collect())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Reports the keys that nothing has asked for.
    pub(crate) fn done(self) {
        for (key, (place, _)) in &self.entries {
            let hint = nearest(key, self.asked.iter().copied())
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            self.problems.add(place, self.name_of(key), format!("no such setting{hint}"));
        }
    }

    fn take(&mut self, key: &'static str) -> Option<(Place, Node)> {
        self.asked.push(key);
        self.entries.remove(key)
    }

    fn read<T: Wanted>(&self, key: String, node: &Node) -> Option<At<T>> {
        match T::read(node) {
            Ok(value) => Some(At { value, place: node.place.clone(), key }),
            Err(why) => {
                let why = why.unwrap_or_else(|| format!("has to be {}, not {}", T::WHAT, node.value.what()));
                self.problems.add(&node.place, key, why);
                None
            }
        }
    }
}

fn items(node: Node) -> Vec<Node> {
    let place = node.place;
    match node.value {
        Value::List(items) => items,
        Value::Loose(text) => {
            let item = |text: &str| Node { value: Value::Loose(text.trim().to_owned()), place: place.clone() };
            text.split(',').filter(|text| !text.trim().is_empty()).map(item).collect()
        }
        value => vec![Node { value, place }],
    }
}

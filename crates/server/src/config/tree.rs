//! Settings before they are understood: values, each with the place it was written at.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::{Place, Source};
use super::problems::Problems;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// A table: each key with its place.
pub(crate) type Table = BTreeMap<String, (Place, Node)>;

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Flag(bool),
    Float(f64),
    Integer(i64),
    List(Vec<Node>),
    /// From the command line or the environment, where everything is text: becomes what is asked for.
    Loose(String),
    Table(Table),
    Text(String),
    /// A date or a number beyond all bounds: nothing that is asked for anywhere.
    Other(&'static str),
}

impl Value {
    /// The kind of the value, for messages.
    pub(crate) fn what(&self) -> String {
        match self {
            Value::Flag(value) => format!("`{value}`"),
            Value::Float(value) => format!("the number {value}"),
            Value::Integer(value) => format!("the number {value}"),
            Value::List(_) => "a list".into(),
            Value::Loose(text) | Value::Text(text) => format!("{text:?}"),
            Value::Table(_) => "a table".into(),
            Value::Other(what) => (*what).into(),
        }
    }
}

impl Node {
    /// A value that was typed on the command line or stands in the environment.
    pub(crate) fn loose(from: &str, text: impl Into<String>) -> Self {
        Self { value: Value::Loose(text.into()), place: Place::named(from) }
    }

    pub(crate) fn list(from: &str, items: Vec<Node>) -> Self {
        Self { value: Value::List(items), place: Place::named(from) }
    }

    pub(crate) fn table(from: &str) -> Self {
        Self { value: Value::Table(Table::new()), place: Place::named(from) }
    }

    /// Whether it is a table with this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        matches!(&self.value, Value::Table(table) if table.contains_key(key))
    }

    /// A table with a single key, at the place of its value.
    pub(crate) fn table_of(key: &str, node: Node) -> Self {
        let place = node.place.clone();
        Self { value: Value::Table(Table::from([(key.to_owned(), (place.clone(), node))])), place }
    }

    /// Puts a value at a path of keys, over what is there: `learn.window`, `site[2].path`. Tables are made on the way; a
    /// list of one table needs no number.
    ///
    /// # Errors
    ///
    /// Why the path leads nowhere. Nothing has changed then.
    pub(crate) fn set(&mut self, path: &str, node: Node) -> Result<(), String> {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let (key, number) = numbered(key)?;
        let what = self.value.what();
        let Value::Table(table) = &mut self.value else { return Err(format!("{what} has no settings of its own")) };
        let place = node.place.clone();
        let empty = || (place.clone(), Node { value: Value::Table(Table::new()), place: place.clone() });
        let mut target = &mut table.entry(key.to_owned()).or_insert_with(empty).1;
        if rest.is_some() || number.is_some() {
            target = target.item(key, number)?;
        }
        if let Some(rest) = rest {
            return target.set(rest, node);
        }
        *target = node;
        Ok(())
    }

    /// The item of a list: that of the number, from 1, or the only one. What is no list is its own item.
    fn item(&mut self, key: &str, number: Option<usize>) -> Result<&mut Node, String> {
        let count = if let Value::List(items) = &self.value { items.len() } else { 1 };
        let wanted = match number {
            None if count != 1 => return Err(format!("there are {count} of `{key}`: say which, as in `{key}[1]`")),
            None => 1,
            Some(number) if (1..=count).contains(&number) => number,
            Some(_) => return Err(format!("the number of `{key}` goes from 1 to {count}")),
        };
        if !matches!(self.value, Value::List(_)) {
            return Ok(self);
        }
        let Value::List(items) = &mut self.value else { return Err(String::new()) };
        items.get_mut(wanted - 1).ok_or_else(String::new)
    }
}

/// `site[2]` as a key and a number.
fn numbered(key: &str) -> Result<(&str, Option<usize>), String> {
    let Some((key, rest)) = key.split_once('[') else { return Ok((key, None)) };
    match rest.strip_suffix(']').map(str::parse) {
        Some(Ok(number)) => Ok((key, Some(number))),
        _ => Err(format!("[{rest} is not a number in brackets, such as `{key}[1]`")),
    }
}

/// Reads a file's text. What is no TOML is reported, and the rest is read all the same.
pub(crate) fn parse(path: &Path, text: String, problems: &Problems) -> Node {
    let source = Arc::new(Source::File { path: path.to_owned(), text });
    let Source::File { text, .. } = &*source else { return Node::table("") };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let place = Place::new(&source, error.span().map_or(0, |span| span.start));
        problems.add_syntax(&place, error.message().replace('\n', ", "));
    }
    Node { value: table(&source, root.into_inner()), place: Place::new(&source, 0) }
}

fn table(source: &Arc<Source>, entries: DeTable<'_>) -> Value {
    let entry = |(key, value): (Spanned<_>, Spanned<_>)| {
        let place = Place::new(source, key.span().start);
        let key: std::borrow::Cow<'_, str> = key.into_inner();
        (key.into_owned(), (place, node(source, value)))
    };
    Value::Table(entries.into_iter().map(entry).collect())
}

fn node(source: &Arc<Source>, value: Spanned<DeValue<'_>>) -> Node {
    let place = Place::new(source, value.span().start);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number beyond 64 bits"), Value::Integer),
        DeValue::Float(number) => number.as_str().parse().map_or(Value::Other("not a number"), Value::Float),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(source, item)).collect()),
        DeValue::Table(entries) => table(source, entries),
    };
    Node { value, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_syntax_errors_are_found_and_the_rest_is_read() {
        let problems = Problems::default();
        let text = "a = 1\nb = = 2\nc = 0x10\nd = \"open\n[e]\nf = [1, 2.5, true]\n".to_owned();
        let root = parse(Path::new("x.toml"), text, &problems);
        let Value::Table(entries) = &root.value else { panic!("{root:?}") };
        assert!(matches!(entries["a"].1.value, Value::Integer(1)));
        assert!(matches!(entries["c"].1.value, Value::Integer(16)));
        assert!(matches!(entries["e"].1.value, Value::Table(_)));
        let lines: Vec<_> = problems.into_sorted().iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("x.toml:2:") && lines[1].starts_with("x.toml:4:"), "{lines:?}");
    }

    #[test]
    fn what_is_set_goes_over_what_is_there() {
        let problems = Problems::default();
        let mut root = parse(Path::new("x.toml"), "[learn]\nwindow = 3\nholdout = 4".into(), &problems);
        root.set("learn.window", Node::loose("--window", "7")).unwrap();
        root.set("push.threshold", Node::loose("--set", "0.5")).unwrap();
        let Value::Table(entries) = &root.value else { panic!() };
        let Value::Table(learn) = &entries["learn"].1.value else { panic!() };
        assert!(matches!(&learn["window"].1.value, Value::Loose(text) if text == "7"));
        assert!(matches!(learn["holdout"].1.value, Value::Integer(4)));
        assert!(entries.contains_key("push"));
    }

    #[test]
    fn a_table_of_a_list_is_the_only_one_or_has_a_number() {
        let problems = Problems::default();
        let set = |text: &str, path: &str| {
            let mut root = parse(Path::new("x.toml"), text.into(), &problems);
            let result = root.set(path, Node::loose("--set", "x"));
            (result, format!("{root:?}").matches("Loose").count())
        };
        let (one, two) = ("[[site]]\nroot = \"a\"\n", "[[site]]\nroot = \"a\"\n[[site]]\nroot = \"b\"\n");
        assert_eq!(set(one, "site.symlinks"), (Ok(()), 1));
        assert_eq!(set(one, "site.proxy.cache"), (Ok(()), 1));
        assert_eq!(set(two, "site[2].symlinks"), (Ok(()), 1));
        assert_eq!(set("", "site.root"), (Ok(()), 1));
        let error = |text, path| match set(text, path) {
            (Err(why), 0) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(error(two, "site.symlinks"), "there are 2 of `site`: say which, as in `site[1]`");
        assert_eq!(error(two, "site[3].symlinks"), "the number of `site` goes from 1 to 2");
        assert_eq!(error(two, "site[x].symlinks"), "[x] is not a number in brackets, such as `site[1]`");
        assert_eq!(error("learn = 3", "learn.window"), "the number 3 has no settings of its own");
    }
}

//! A row of the table of settings: a key, what its value has to be, where it goes, and what people are told of it.

use std::ops::RangeInclusive;

use super::place::At;
use super::section::Section;
use super::size::{ByteCount, Size};
use super::values::Wanted;

/// The description of a setting, whatever it is read into: flags, variables, help and the example file are made of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// `learn`, `site.proxy`; empty for the keys of the file itself.
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    /// One line, for the help of the flag and the comment in the example file.
    pub(crate) help: &'static str,
    /// Further lines for the long help of the flag.
    pub(crate) details: &'static str,
    pub(crate) flag: Option<Flag>,
    /// A variable besides the one that is made of section and key.
    pub(crate) variable: Option<&'static str>,
    /// The default, as it is written in the file.
    pub(crate) default: Option<String>,
    /// The behaviour without a value, where the default is no value.
    pub(crate) otherwise: &'static str,
    /// The value in the example file, as it is written in the file, if not the default.
    pub(crate) sample: &'static str,
}

impl Row {
    /// `learn.window`
    pub(crate) fn path(&self) -> String {
        if self.section.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.section, self.key) }
    }

    /// The environment variables that stand for it: none of what there can be several of.
    pub(crate) fn variables(&self) -> Vec<String> {
        let several = matches!(self.section, "" | "listen" | "rule") || self.section.starts_with("site");
        let made = || ["headstart", self.section, self.key].join("_").replace('.', "_").to_ascii_uppercase();
        self.variable.map(str::to_owned).into_iter().chain((!several).then(made)).collect()
    }

    /// The default as the help shows it: the value, or the behaviour without one.
    pub(crate) fn default_for_help(&self) -> Option<&str> {
        match &self.default {
            _ if !self.otherwise.is_empty() => Some(self.otherwise),
            Some(default) if default != "[]" => Some(default.trim_matches('"')),
            _ => None,
        }
    }
}

/// A flag of the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Without the dashes.
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    /// Values under this name, more than once or with commas between them.
    List(&'static str),
    /// No value: the flag itself says this one.
    Nothing(&'static str),
    /// One value under this name.
    Value(&'static str),
}

/// The settings of one section, which are read into an `S`.
pub(crate) struct Group<S> {
    section: &'static str,
    settings: Vec<Setting<S>>,
}

struct Setting<S> {
    row: Row,
    read: Read<S>,
    show: Show<S>,
}

type Read<S> = Box<dyn Fn(&mut Section<'_>, &'static str, &mut S)>;
type Show<S> = Box<dyn Fn(&mut S) -> Option<String>>;

impl<S: 'static> Group<S> {
    /// No settings yet, of the section of that name.
    pub(crate) fn new(section: &'static str) -> Self {
        Self { section, settings: Vec::new() }
    }

    /// A setting that is read and shown by functions of its own.
    pub(crate) fn custom(
        mut self,
        key: &'static str,
        read: impl Fn(&mut Section<'_>, &'static str, &mut S) + 'static,
        show: impl Fn(&mut S) -> Option<String> + 'static,
    ) -> Self {
        let row = Row { section: self.section, key, ..Row::default() };
        self.settings.push(Setting { row, read: Box::new(read), show: Box::new(show) });
        self
    }

    /// A setting of any value that its type can have.
    pub(crate) fn value<T: Slot>(self, key: &'static str, field: fn(&mut S) -> &mut T) -> Self {
        self.checked(key, |_| Ok(()), field)
    }

    /// A setting whose value has to be within bounds.
    pub(crate) fn within<T>(
        self,
        key: &'static str,
        bounds: RangeInclusive<T::Value>,
        field: fn(&mut S) -> &mut T,
    ) -> Self
    where
        T: Slot,
        T::Value: PartialOrd,
    {
        self.checked(key, move |value| in_range(value, &bounds), field)
    }

    /// A setting whose value has to pass a check, which says what is wrong with it.
    pub(crate) fn checked<T: Slot>(
        self,
        key: &'static str,
        check: impl Fn(&T::Value) -> Result<(), String> + 'static,
        field: fn(&mut S) -> &mut T,
    ) -> Self {
        let read = move |section: &mut Section<'_>, key, into: &mut S| {
            let Some(values) = T::take(section, key) else { return };
            let mut good = Vec::new();
            for at in values {
                match check(&at.value) {
                    Ok(()) => good.push(at),
                    Err(why) => section.problem_at(&at, why),
                }
            }
            field(into).fill(good);
        };
        self.custom(key, read, move |of| field(of).show())
    }

    /// A setting of bytes.
    pub(crate) fn size<N: ByteCount>(
        self,
        key: &'static str,
        bounds: RangeInclusive<Size>,
        field: fn(&mut S) -> &mut N,
    ) -> Self {
        let read = move |section: &mut Section<'_>, key, into: &mut S| {
            let Some(at) = section.get::<Size>(key) else { return };
            match in_range(&at.value, &bounds) {
                Ok(()) => field(into).put(at.value),
                Err(why) => section.problem_at(&at, why),
            }
        };
        self.custom(key, read, move |of| field(of).get().map(|size| size.written()))
    }

    /// A setting that is one of some names.
    pub(crate) fn choice<T: Clone + PartialEq + 'static>(
        self,
        key: &'static str,
        names: &'static [(&'static str, T)],
        field: fn(&mut S) -> &mut T,
    ) -> Self {
        let read = move |section: &mut Section<'_>, key, into: &mut S| {
            let Some(at) = section.get::<String>(key) else { return };
            if let Some((_, value)) = names.iter().find(|(name, _)| *name == at.value) {
                *field(into) = value.clone();
            } else {
                let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
                section.problem_at(&at, format!("{:?} is not one of {}", at.value, names.join(", ")));
            }
        };
        let show = move |of: &mut S| {
            let value = field(of);
            names.iter().find(|(_, named)| named == value).map(|(name, _)| format!("{name:?}"))
        };
        self.custom(key, read, show)
    }

    /// Says what the setting before is for.
    pub(crate) fn help(self, help: &'static str) -> Self {
        self.told(|row| row.help = help)
    }

    /// Adds to what the long help says of the setting before.
    pub(crate) fn details(self, details: &'static str) -> Self {
        self.told(|row| row.details = details)
    }

    /// Makes a flag of the setting before.
    pub(crate) fn flag(self, name: &'static str, takes: Takes) -> Self {
        self.told(|row| row.flag = Some(Flag { name, takes }))
    }

    /// Has an environment variable of this name stand for the setting before, besides the one that every setting has.
    pub(crate) fn variable(self, name: &'static str) -> Self {
        self.told(|row| row.variable = Some(name))
    }

    /// Says what happens without a value of the setting before.
    pub(crate) fn otherwise(self, otherwise: &'static str) -> Self {
        self.told(|row| row.otherwise = otherwise)
    }

    /// Says what the example file shows of the setting before.
    pub(crate) fn sample(self, sample: &'static str) -> Self {
        self.told(|row| row.sample = sample)
    }

    fn told(mut self, tell: impl FnOnce(&mut Row)) -> Self {
        if let Some(last) = self.settings.last_mut() {
            tell(&mut last.row);
        }
        self
    }

    /// Reads the section of this name of the file.
    pub(crate) fn read(&self, root: &mut Section<'_>, into: &mut S) {
        self.read_keys_of(root, self.section, into);
    }

    /// Reads the table `key` of a section.
    pub(crate) fn read_keys_of(&self, parent: &mut Section<'_>, key: &'static str, into: &mut S) {
        let mut section = parent.section(key);
        self.read_keys(&mut section, into);
        section.done();
    }

    /// Reads the keys from a section that may have further ones.
    pub(crate) fn read_keys(&self, section: &mut Section<'_>, into: &mut S) {
        for setting in &self.settings {
            (setting.read)(section, setting.row.key, into);
        }
    }

    /// The description of each setting; `of` holds the defaults.
    pub(crate) fn rows(&self, mut of: S) -> Vec<Row> {
        let row = |setting: &Setting<S>| Row { default: (setting.show)(&mut of), ..setting.row.clone() };
        self.settings.iter().map(row).collect()
    }
}

fn in_range<T: Wanted + PartialOrd>(value: &T, bounds: &RangeInclusive<T>) -> Result<(), String> {
    if bounds.contains(value) {
        return Ok(());
    }
    let (least, most) = (bounds.start().show(), bounds.end().show());
    Err(format!("{} is out of range: {least} to {most}", value.show()))
}

/// A field that a setting is read into: a value, a list of values, with or without their places.
pub(crate) trait Slot: 'static {
    type Value: Wanted;

    /// The values of a key; `None` if it is not there or cannot be understood.
    fn take(section: &mut Section<'_>, key: &'static str) -> Option<Vec<At<Self::Value>>>;

    /// Takes what passed the check.
    fn fill(&mut self, values: Vec<At<Self::Value>>);

    /// As it is written in the file; `None` for no value.
    fn show(&self) -> Option<String>;
}

fn take_one<T: Wanted>(section: &mut Section<'_>, key: &'static str) -> Option<Vec<At<T>>> {
    section.get(key).map(|at| vec![at])
}

impl<T: Wanted + 'static> Slot for T {
    type Value = T;

    fn take(section: &mut Section<'_>, key: &'static str) -> Option<Vec<At<T>>> {
        take_one(section, key)
    }

    fn fill(&mut self, values: Vec<At<T>>) {
        if let Some(at) = values.into_iter().next() {
            *self = at.value;
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.written())
    }
}

impl<T: Wanted + 'static> Slot for Option<T> {
    type Value = T;

    fn take(section: &mut Section<'_>, key: &'static str) -> Option<Vec<At<T>>> {
        take_one(section, key)
    }

    fn fill(&mut self, values: Vec<At<T>>) {
        if let Some(at) = values.into_iter().next() {
            *self = Some(at.value);
        }
    }

    fn show(&self) -> Option<String> {
        self.as_ref().map(Wanted::written)
    }
}

impl<T: Wanted + 'static> Slot for Option<At<T>> {
    type Value = T;

    fn take(section: &mut Section<'_>, key: &'static str) -> Option<Vec<At<T>>> {
        take_one(section, key)
    }

    fn fill(&mut self, values: Vec<At<T>>) {
        if let Some(at) = values.into_iter().next() {
            *self = Some(at);
        }
    }

    fn show(&self) -> Option<String> {
        self.as_ref().map(|at| at.value.written())
    }
}

impl<T: Wanted + 'static> Slot for Vec<T> {
    type Value = T;

    fn take(section: &mut Section<'_>, key: &'static str) -> Option<Vec<At<T>>> {
        section.list(key)
    }

    fn fill(&mut self, values: Vec<At<T>>) {
        *self = values.into_iter().map(|at| at.value).collect();
    }

    fn show(&self) -> Option<String> {
        Some(list(self.iter()))
    }
}

impl<T: Wanted + 'static> Slot for Vec<At<T>> {
    type Value = T;

    fn take(section: &mut Section<'_>, key: &'static str) -> Option<Vec<At<T>>> {
        section.list(key)
    }

    fn fill(&mut self, values: Vec<At<T>>) {
        *self = values;
    }

    fn show(&self) -> Option<String> {
        Some(list(self.iter().map(|at| &at.value)))
    }
}

fn list<'a, T: Wanted + 'a>(values: impl Iterator<Item = &'a T>) -> String {
    let items: Vec<_> = values.map(Wanted::written).collect();
    format!("[{}]", items.join(", "))
}

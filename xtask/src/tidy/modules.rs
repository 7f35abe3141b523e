//! The modules of a crate, what each defines and imports, and where a path leads.

use super::Source;
use super::tokens::{Token, tokens};
use std::collections::{BTreeMap, BTreeSet};

/// The modules of one crate. The first is the root; `#[cfg(test)]` items are left out.
pub(super) struct Modules {
    pub(super) all: Vec<Module>,
}

#[derive(Default)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    /// The file that holds it, relative to the workspace.
    pub(super) file: String,
    children: BTreeMap<String, usize>,
    /// Names of the items that stand in it.
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// Every path in its code, and every single word that a glob import may have brought.
    pub(super) mentions: Vec<Mention>,
}

struct Import {
    path: Vec<String>,
    /// `None` for a glob.
    name: Option<String>,
    line: usize,
}

pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// The target of a path: a module, or an item in one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    module: usize,
    is_module: bool,
}

impl Modules {
    /// Reads the crate whose root is the file `root`.
    pub(super) fn read(sources: &[Source], root: &str) -> Self {
        let mut modules = Self { all: vec![Module { file: root.to_owned(), ..Module::default() }] };
        // A directory of its own is what every root has, and every mod.rs; src/x.rs has src/x/.
        let mut open = vec![(0, directory_of(root).to_owned())];
        while let Some((module, dir)) = open.pop() {
            let file = modules.all[module].file.clone();
            let Some(source) = sources.iter().find(|source| source.path == file) else { continue };
            let text = tokens(&source.text);
            let declared = FileReader { modules: &mut modules, tokens: &text, at: 0 }.read(module, &dir);
            for Declared { module, candidates } in declared {
                let found = candidates.iter().find(|(path, _)| sources.iter().any(|source| source.path == *path));
                if let Some((path, dir)) = found {
                    modules.all[module].file.clone_from(path);
                    open.push((module, dir.clone()));
                }
            }
        }
        modules
    }

    /// The module that holds what `path`, written in `from`, names, through re-exports. `None` if that is no module here.
    pub(super) fn resolve(&self, from: usize, path: &[String]) -> Option<usize> {
        self.find(from, path, 0).map(|place| place.module)
    }

    /// Every path of a module that leads somewhere else in the crate: with its line.
    pub(super) fn named_by(&self, module: usize) -> Vec<(usize, String, usize)> {
        let own = &self.all[module];
        let imports = own.imports.iter().map(|import| (&import.path, import.line));
        let mentions = own.mentions.iter().map(|mention| (&mention.path, mention.line));
        let paths = imports.chain(mentions);
        paths
            .filter_map(|(path, line)| self.resolve(module, path).map(|target| (target, path.join("::"), line)))
            .collect()
    }

    /// `crate::a::b`
    pub(super) fn path(&self, module: usize) -> String {
        match self.all[module].parent {
            Some(parent) => format!("{}::{}", self.path(parent), self.all[module].name),
            None => "crate".to_owned(),
        }
    }

    fn find(&self, from: usize, path: &[String], depth: usize) -> Option<Place> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Place { module: 0, is_module: true },
            "self" => Place { module: from, is_module: true },
            "super" => Place { module: self.all[from].parent?, is_module: true },
            word => self.step(from, word, depth)?,
        };
        while let Some((next, after)) = rest.split_first() {
            if !at.is_module {
                break;
            }
            at = match next.as_str() {
                "super" => Place { module: self.all[at.module].parent?, is_module: true },
                "self" => at,
                // What no item declares, a macro made.
                word => self.step(at.module, word, depth).unwrap_or(Place { module: at.module, is_module: false }),
            };
            rest = after;
        }
        Some(at)
    }

    /// The target of `name` inside of `module`.
    fn step(&self, module: usize, name: &str, depth: usize) -> Option<Place> {
        let own = &self.all[module];
        if let Some(child) = own.children.get(name) {
            return Some(Place { module: *child, is_module: true });
        }
        if own.items.contains(name) {
            return Some(Place { module, is_module: false });
        }
        let named = own.imports.iter().filter(|import| import.name.as_deref() == Some(name));
        // `use tokio::time` where `time` is also the name: the import's own first word is no import.
        let ours = named.filter(|import| import.path.first().is_none_or(|first| first != name));
        if let Some(place) = ours.into_iter().find_map(|import| self.find(module, &import.path, depth + 1)) {
            return Some(place);
        }
        let globs = own.imports.iter().filter(|import| import.name.is_none());
        globs
            .filter_map(|import| self.find(module, &import.path, depth + 1))
            .filter(|place| place.is_module && place.module != module)
            .find_map(|place| self.step(place.module, name, depth + 1))
    }

    fn add(&mut self, parent: usize, name: &str) -> usize {
        let file = self.all[parent].file.clone();
        self.all.push(Module { name: name.to_owned(), parent: Some(parent), file, ..Module::default() });
        let module = self.all.len() - 1;
        self.all[parent].children.insert(name.to_owned(), module);
        module
    }
}

/// How many re-exports of re-exports are followed: globs may import each other in a circle.
const MAX_DEPTH: usize = 16;

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// `mod name;`: the files it may stand in, each with the directory of its own modules.
struct Declared {
    module: usize,
    candidates: Vec<(String, String)>,
}

struct FileReader<'a> {
    modules: &'a mut Modules,
    tokens: &'a [(Token, usize)],
    at: usize,
}

impl FileReader<'_> {
    /// Reads one file into `module`, whose modules stand in `dir`, and returns those that stand in files of their own.
    fn read(mut self, module: usize, dir: &str) -> Vec<Declared> {
        let mut declared = Vec::new();
        // Open braces; those of modules with the module and its directory.
        let mut scopes: Vec<Option<(usize, String)>> = Vec::new();
        let mut path_attribute = None;
        while let Some((token, line)) = self.tokens.get(self.at).cloned() {
            let inner = scopes.iter().rev().find_map(Option::as_ref);
            let (here, here_dir) = inner.map_or((module, dir.to_owned()), |(module, dir)| (*module, dir.clone()));
            let is_item = scopes.last().is_none_or(Option::is_some);
            match token {
                Token::Mark('#') => {
                    let attribute = self.attribute();
                    if attribute.is_for_tests {
                        self.skip_item();
                    }
                    path_attribute = attribute.path.or(path_attribute);
                    continue;
                }
                Token::Mark('{') => scopes.push(None),
                Token::Mark('}') => {
                    scopes.pop();
                }
                Token::Word(word) if word == "mod" && self.word_at(1).is_some() => {
                    let name = self.word_at(1).unwrap_or_default();
                    let child = self.modules.add(here, &name);
                    let own_dir = format!("{here_dir}/{name}");
                    if self.mark_at(2, '{') {
                        scopes.push(Some((child, own_dir)));
                    } else {
                        let candidates = match path_attribute.take() {
                            Some(path) => vec![joined(&self.modules.all[here].file, &path)],
                            None => vec![
                                (format!("{own_dir}.rs"), own_dir.clone()),
                                (format!("{own_dir}/mod.rs"), own_dir.clone()),
                            ],
                        };
                        declared.push(Declared { module: child, candidates });
                    }
                    self.at += 3;
                    continue;
                }
                Token::Word(word) if word == "use" => {
                    self.at += 1;
                    self.use_tree(here, &mut Vec::new());
                    continue;
                }
                Token::Word(word) => {
                    let defined = match word.as_str() {
                        "macro_rules" => self.word_at(2),
                        word if is_item && DEFINING.contains(&word) => self.word_at(1),
                        _ => None,
                    };
                    self.modules.all[here].items.extend(defined);
                    self.mention(here, line);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        declared
    }

    /// A path or a word in code.
    fn mention(&mut self, module: usize, line: usize) {
        let before = self.at.checked_sub(1).and_then(|before| self.tokens.get(before)).map(|(token, _)| token);
        let is_start = !matches!(before, Some(Token::PathSeparator | Token::Mark('.')));
        let mut path: Vec<String> = self.word_at(0).into_iter().collect();
        self.at += 1;
        while matches!(self.tokens.get(self.at), Some((Token::PathSeparator, _)))
            && let Some(word) = self.word_at(1)
        {
            path.push(word);
            self.at += 2;
        }
        let names_item =
            path[0].starts_with(char::is_uppercase) || path.len() > 1 || self.mark_at(0, '(') || self.mark_at(0, '!');
        if is_start && names_item {
            self.modules.all[module].mentions.push(Mention { path, line });
        }
    }

    /// `a::{b as c, d::*}`, from its first word to behind its last; `prefix` is what stands before.
    fn use_tree(&mut self, module: usize, prefix: &mut Vec<String>) {
        let depth = prefix.len();
        while let Some((token, line)) = self.tokens.get(self.at).cloned() {
            self.at += 1;
            match token {
                Token::Word(word) if word == "as" => {
                    let name = self.word_at(0);
                    self.at += 1;
                    if let (Some(name), Some(last)) = (name, self.modules.all[module].imports.last_mut()) {
                        last.name = Some(name);
                    }
                }
                Token::Word(word) => {
                    prefix.push(word);
                    if !matches!(self.tokens.get(self.at), Some((Token::PathSeparator, _))) {
                        // `self` at the end names what stands before it.
                        if prefix.len() > 1 && prefix.last().is_some_and(|last| last == "self") {
                            prefix.pop();
                        }
                        let name = prefix.last().cloned();
                        self.modules.all[module].imports.push(Import { path: prefix.clone(), name, line });
                    }
                }
                Token::Mark('*') => {
                    self.modules.all[module].imports.push(Import { path: prefix.clone(), name: None, line });
                }
                Token::Mark('{') => self.use_tree(module, &mut prefix.clone()),
                Token::Mark(',') => prefix.truncate(depth),
                Token::Mark('}' | ';') => return,
                _ => {}
            }
        }
    }

    fn attribute(&mut self) -> Attribute {
        let mut attribute = Attribute::default();
        self.at += 1;
        let is_inner = self.mark_at(0, '!');
        self.at += usize::from(is_inner);
        let mut depth = 0_usize;
        let mut words = BTreeSet::new();
        while let Some((token, _)) = self.tokens.get(self.at) {
            self.at += 1;
            match token {
                Token::Mark('[') => depth += 1,
                Token::Mark(']') => depth -= 1,
                Token::Word(word) => {
                    words.insert(word.as_str());
                }
                Token::Text(text) if words.len() == 1 && words.contains("path") => attribute.path = Some(text.clone()),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        attribute.is_for_tests = !is_inner && words.contains("cfg") && words.contains("test") && !words.contains("not");
        attribute
    }

    /// Skips an item, a field or a statement: to its `;` or `,`, or to the end of its braces.
    fn skip_item(&mut self) {
        let mut depth = 0_usize;
        while let Some((token, _)) = self.tokens.get(self.at) {
            match token {
                Token::Mark('(' | '[' | '{') => depth += 1,
                Token::Mark(')' | ']' | '}') if depth == 0 => return,
                Token::Mark(')' | ']') => depth -= 1,
                Token::Mark('}') => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                Token::Mark(';' | ',') if depth == 0 => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn word_at(&self, ahead: usize) -> Option<String> {
        self.tokens.get(self.at + ahead).and_then(|(token, _)| token.word()).map(str::to_owned)
    }

    fn mark_at(&self, ahead: usize, mark: char) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some((Token::Mark(own), _)) if *own == mark)
    }
}

const DEFINING: &[&str] = &["const", "enum", "fn", "static", "struct", "trait", "type", "union"];

#[derive(Default)]
struct Attribute {
    is_for_tests: bool,
    path: Option<String>,
}

/// The file that a `#[path]` in `file` names, and the directory of its modules.
fn joined(file: &str, path: &str) -> (String, String) {
    let mut parts: Vec<&str> = directory_of(file).split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." => {}
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    let dir = directory_of(&path).to_owned();
    (path, dir)
}

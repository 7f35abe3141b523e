//! Modules of one crate do not import each other in a circle.
//!
//! An edge is an import or a path from anything inside one module to anything inside a sibling of it; a re-export is
//! followed to where the item stands, so that a detour through the parent hides nothing. A parent and its own modules may
//! know each other. Modules that are compiled for tests only are left out.

use super::modules::Modules;
use super::{Finding, Source};
use crate::metadata::Package;
use std::collections::{BTreeMap, BTreeSet};

/// Siblings each of which leads to each other, with the imports between them.
struct Circle {
    krate: String,
    parent: String,
    modules: BTreeSet<String>,
    /// From, to, and the first place that makes the edge.
    edges: Vec<(String, String, String)>,
}

pub(super) fn check(members: &[Package], sources: &[Source]) -> Vec<Finding> {
    all(members, sources).iter().map(|circle| Finding::new(&circle.krate, circle.show())).collect()
}

/// Every circle, edge by edge.
pub(super) fn describe(members: &[Package], sources: &[Source]) -> String {
    let circles = all(members, sources);
    let count = format!("{} circles of sibling modules", circles.len());
    let lines: Vec<String> = circles.iter().map(Circle::show).chain([count]).collect();
    lines.join("\n") + "\n"
}

fn all(members: &[Package], sources: &[Source]) -> Vec<Circle> {
    let roots = members.iter().flat_map(|member| member.roots.iter().map(|root| (member.name.as_str(), root.as_str())));
    roots.flat_map(|(krate, root)| circles(krate, &Modules::read(sources, root))).collect()
}

impl Circle {
    fn show(&self) -> String {
        let names: Vec<&str> = self.modules.iter().map(String::as_str).collect();
        let count = names.len();
        let head =
            format!("{}: {}: a circle of {count} sibling modules: {}", self.krate, self.parent, names.join(", "));
        let edges = self.edges.iter().map(|(from, to, place)| format!("    {from} -> {to} ({place})"));
        let lines: Vec<String> = std::iter::once(head).chain(edges).collect();
        lines.join("\n")
    }
}

fn circles(krate: &str, modules: &Modules) -> Vec<Circle> {
    let mut circles = Vec::new();
    for (parent, edges) in sibling_edges(modules) {
        let nodes: BTreeSet<usize> = edges.keys().flat_map(|(from, to)| [*from, *to]).collect();
        let mut left = nodes.clone();
        while let Some(first) = left.pop_first() {
            let after = reachable(first, &edges);
            let together: BTreeSet<usize> =
                after.into_iter().filter(|node| *node == first || reachable(*node, &edges).contains(&first)).collect();
            left.retain(|node| !together.contains(node));
            if together.len() < 2 {
                continue;
            }
            let inside = edges.iter().filter(|((from, to), _)| together.contains(from) && together.contains(to));
            let name = |module: &usize| modules.all[*module].name.clone();
            circles.push(Circle {
                krate: krate.to_owned(),
                parent: modules.path(parent),
                modules: together.iter().map(name).collect(),
                edges: inside.map(|((from, to), place)| (name(from), name(to), place.clone())).collect(),
            });
        }
    }
    circles
}

type Edges = BTreeMap<(usize, usize), String>;

/// For each parent the edges between its modules.
fn sibling_edges(modules: &Modules) -> BTreeMap<usize, Edges> {
    let mut all: BTreeMap<usize, Edges> = BTreeMap::new();
    for module in 0..modules.all.len() {
        for (target, path, line) in modules.named_by(module) {
            let (from, to) = (ancestry(modules, module), ancestry(modules, target));
            let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if let (Some(from), Some(to), Some(parent)) = (from.get(shared), to.get(shared), from.get(shared - 1)) {
                let place = || format!("{}:{line}: {path}", modules.all[module].file);
                all.entry(*parent).or_default().entry((*from, *to)).or_insert_with(place);
            }
        }
    }
    all
}

/// From the root to the module itself.
fn ancestry(modules: &Modules, module: usize) -> Vec<usize> {
    let mut path: Vec<usize> = std::iter::successors(Some(module), |module| modules.all[*module].parent).collect();
    path.reverse();
    path
}

fn reachable(from: usize, edges: &Edges) -> BTreeSet<usize> {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for (_, to) in edges.keys().filter(|(start, _)| *start == node) {
            if seen.insert(*to) {
                open.push(*to);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate whose files are given, root first.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
        let circles = circles("x", &Modules::read(&sources, files[0].0));
        circles
            .iter()
            .map(|circle| {
                let names: Vec<&str> = circle.modules.iter().map(String::as_str).collect();
                format!("{}: {}", circle.parent, names.join(" "))
            })
            .collect()
    }

    const ROOT: &str = "mod a; mod b; mod c;";

    #[test]
    fn a_circle_of_imports_is_found() {
        let files = |c: &'static str| {
            [
                ("src/lib.rs", ROOT),
                ("src/a.rs", "use crate::b::B;"),
                ("src/b.rs", "use super::c::{self, C as D};"),
                ("src/c.rs", c),
            ]
        };
        assert_eq!(found(&files("use crate::{b, a::A};")), ["crate: a b c"]);
        assert_eq!(found(&files("use std::fmt;")), [""; 0]);
        assert_eq!(found(&files("use crate::b::B;")), ["crate: b c"]);
    }

    #[test]
    fn a_path_in_the_code_is_an_import() {
        let files = |b: &'static str| {
            [("src/lib.rs", "mod a; mod b;"), ("src/a.rs", "fn f() { crate::b::g() }"), ("src/b.rs", b)]
        };
        assert_eq!(found(&files("fn g() -> super::a::F { }")), ["crate: a b"]);
        assert_eq!(
            found(&files("fn g() { std::a::f() } // crate::a::f()\nconst S: &str = \"crate::a::f()\";")),
            [""; 0]
        );
    }

    #[test]
    fn re_exports_are_followed_to_where_the_item_stands() {
        let root = "mod a; mod b; mod c; pub use a::A; pub use crate::b::*;";
        let files = |c: &'static str| {
            [
                ("src/lib.rs", root),
                ("src/a.rs", "use crate::B; pub struct A;"),
                ("src/b.rs", "pub struct B; fn f(_: crate::A) {}"),
                ("src/c.rs", c),
            ]
        };
        assert_eq!(found(&files("")), ["crate: a b"]);
        let renamed = [
            ("src/lib.rs", "mod a; mod b; use b::f as g;"),
            ("src/a.rs", "use crate::g;"),
            ("src/b.rs", "pub fn f() {} use crate::a;"),
        ];
        assert_eq!(found(&renamed), ["crate: a b"]);
    }

    #[test]
    fn what_a_glob_of_the_parent_brings_counts() {
        let files = [
            ("src/lib.rs", "mod a { use super::*; fn f(_: B) {} } mod b { pub struct B; use super::a::f; } use b::B;"),
            ("src/none.rs", ""),
        ];
        assert_eq!(found(&files), ["crate: a b"]);
    }

    #[test]
    fn modules_below_count_for_the_sibling_above_them() {
        let files = [
            ("src/main.rs", "mod a; mod b;"),
            ("src/a/mod.rs", "pub mod x; mod y;"),
            ("src/a/x.rs", "use crate::b::z::Z; use super::y::Y;"),
            ("src/a/y.rs", "use super::x::X;"),
            ("src/b.rs", "pub mod z;"),
            ("src/b/z.rs", "use crate::a::x::X;"),
        ];
        assert_eq!(found(&files), ["crate: a b", "crate::a: x y"]);
    }

    #[test]
    fn parents_and_tests_make_no_circle() {
        let files = [
            ("src/lib.rs", "mod a; mod b; use a::A; struct Root;"),
            ("src/a.rs", "use crate::Root; use crate::b::B; #[cfg(test)] mod tests { use crate::b::B; }"),
            ("src/b.rs", "pub struct B; #[cfg(test)] use crate::a::A; #[cfg(test)] mod tests { use crate::a::A; }"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }
}

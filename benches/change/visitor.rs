//! Visitors, their pages, and the needs of each page.

use std::net::Ipv4Addr;
use std::rc::Rc;

/// A view to be made.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts about a view, independent of each other")]
pub(crate) struct Visitor {
    pub(crate) who: Who,
    pub(crate) page: Rc<str>,
    /// The files that the page asks for, and how many milliseconds after it came.
    pub(crate) needs: Vec<(Rc<str>, u64)>,
    /// Files that another page asks for on the same connection, and how many milliseconds after this one was asked for.
    pub(crate) elsewhere: Vec<(Rc<str>, u64)>,
    pub(crate) elsewhere_referer: Option<Rc<str>>,
    pub(crate) phone: bool,
    pub(crate) keeps_cookies: bool,
    /// `None` is an address of a network that nobody else has.
    pub(crate) address: Option<Ipv4Addr>,
    /// Milliseconds that the server takes for the page.
    pub(crate) thinks: u64,
    /// Milliseconds that a response takes.
    pub(crate) transfer: u64,
    pub(crate) referers: Referers,
    /// The page is the answer to a form.
    pub(crate) posts: bool,
    /// Its views are not counted.
    pub(crate) bot: bool,
    pub(crate) label: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Stranger,
    /// One that comes again, by its number.
    Client(u64),
}

/// The `Referer`s that requests carry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Referers {
    Full,
    Origin,
    None,
}

impl Visitor {
    /// A stranger at a desktop.
    pub(crate) fn new(page: &str, needs: &[Rc<str>]) -> Self {
        Visitor {
            who: Who::Stranger,
            page: Rc::from(page),
            needs: needs.iter().map(|path| (Rc::clone(path), 0)).collect(),
            elsewhere: Vec::new(),
            elsewhere_referer: None,
            phone: false,
            keeps_cookies: true,
            address: None,
            thinks: 20,
            transfer: 60,
            referers: Referers::Full,
            posts: false,
            bot: false,
            label: 0,
        }
    }

    /// A program that loads the page and one file of it.
    pub(crate) fn bot(page: &str, needs: &[Rc<str>]) -> Self {
        let few = needs.get(..1).unwrap_or_default();
        Visitor { bot: true, keeps_cookies: false, ..Visitor::new(page, few) }
    }
}

/// Names of so many files: `/assets/{prefix}{n}.{version}.css` and others.
pub(crate) fn files(prefix: &str, count: usize, version: &str) -> Vec<Rc<str>> {
    let kinds = ["css", "js", "woff2", "js", "png", "png"];
    let name = |n: usize| Rc::from(format!("/assets/{prefix}{n}.{version}.{}", kinds[n % kinds.len()]));
    (0..count).map(name).collect()
}

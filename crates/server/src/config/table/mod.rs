//! The table of settings: the only place where a setting is written.
//!
//! A row names its key, what its value has to be, the field that it goes into, and what people are told of it. Flags,
//! `--set`, environment variables, `--help`, checks and `packaging/headstart.toml` are made of the rows; defaults are
//! those of the struct that the field belongs to. To add a setting:
//!
//! 1. a field with its default, in the struct that acts on it;
//! 2. a row here;
//! 3. the code that acts on it.
//!
//! `UPDATE=1 cargo test -p headstart-server the_example_is_made_of_the_table` writes the example file.

mod connections;
mod engine;
mod fleet;
mod operation;
mod sites;

pub(super) use connections::{h2, limits, listen, timeouts};
pub(super) use engine::{beacon, cookie, edge, gain, hint, learn, markup, push};
pub(super) use fleet::fleet;
pub(super) use operation::{Root, acme, admin, log, root, state, tls};
pub(super) use sites::{application, directory, files, proxy, redirect, rule, site, site_fields};

use super::connections::Connections;
use super::engine::Engine;
use super::entries::{HeaderEntry, ListenEntry, ProxyEntry, RedirectEntry, RuleEntry, SiteEntry};
use super::fleet::Fleet;
use super::operation::{Acme, Admin, Log, State, Tls};
use super::place::{At, Place};
use super::setting::Row;
use headstart_files as static_files;

/// A section of the file, for people.
pub(crate) struct Chapter {
    /// The subject, where another one begins.
    pub(crate) title: Option<&'static str>,
    /// `[learn]`
    pub(crate) header: &'static str,
    /// Comment before its keys.
    pub(crate) about: &'static [&'static str],
    /// Whether all of it is an example, as there is no such section by default.
    pub(crate) is_example: bool,
    pub(crate) rows: Vec<Row>,
}

impl Chapter {
    fn new(title: &'static str, header: &'static str, rows: Vec<Row>) -> Self {
        let title = Some(title).filter(|title| !title.is_empty());
        Self { title, header, about: &[], is_example: false, rows }
    }

    fn example(title: &'static str, header: &'static str, rows: Vec<Row>) -> Self {
        Self { is_example: true, ..Self::new(title, header, rows) }
    }

    fn about(self, about: &'static [&'static str]) -> Self {
        Self { about, ..self }
    }
}

/// All settings, in the order of the example file.
pub(crate) fn chapters() -> Vec<Chapter> {
    let default_address = At::new(ListenEntry::ADDRESS.to_owned(), Place::named("the default"), "address");
    let tls_on = At::new(true, Place::named("the default"), "tls");
    let listener = ListenEntry { address: Some(default_address), tls: Some(tls_on), ..ListenEntry::default() };
    let sites = [site().rows(SiteEntry::default()), site_fields().rows(Vec::new())].concat();
    let files = files().rows(static_files::Config::default());
    vec![
        Chapter::new("", "", root().rows(Root::default())),
        Chapter::new("Where connections are taken", "[[listen]]", listen().rows(listener)),
        Chapter::example("What is served", "[[site]]", [sites, directory().rows(SiteEntry::default()), files].concat())
            .about(&["By default, one site: the example of the program. A site serves a directory ..."]),
        Chapter::example("", "[[site.header]]", sites::header().rows(HeaderEntry::default()))
            .about(&["A field for some of its paths."]),
        Chapter::example("", "[[site.redirect]]", redirect().rows(RedirectEntry::default()))
            .about(&["Paths that lead elsewhere, the first that matches; of any site."]),
        Chapter::example("", "[[site]]", application().rows(SiteEntry::default())).about(&[
            "... or stands in front of an application. What the site above says before `root` can be said here, too.",
        ]),
        Chapter::example("", "[site.proxy]", proxy().rows(ProxyEntry::new(Vec::new()))),
        Chapter::example("Rules of the operator's own", "[[rule]]", rule().rows(RuleEntry::default())),
        Chapter::new("Who we are", "[tls]", tls().rows(Tls::default())),
        Chapter::example("", "[tls.acme]", acme().rows(Acme::default()))
            .about(&["Certificates from an authority (RFC 8555), kept below the state directory and renewed."]),
        Chapter::new("What is learned and sent", "[learn]", learn().rows(Engine::default())),
        Chapter::new("", "[push]", push().rows(Engine::default())),
        Chapter::new("", "[hint]", hint().rows(Engine::default())),
        Chapter::new("", "[cookie]", cookie().rows(Engine::default())),
        Chapter::new("", "[markup]", markup().rows(Engine::default())),
        Chapter::new("", "[edge]", edge().rows(Engine::default())),
        Chapter::new("What the help is worth", "[gain]", gain().rows(Engine::default())),
        Chapter::new("", "[beacon]", beacon().rows(Engine::default())).about(&[
            "Pages say `<script src=\"/.well-known/headstart/beacon.js\" defer></script>`, with their nonce if they have one.",
        ]),
        Chapter::new("Several servers that learn as one", "[fleet]", fleet().rows(Fleet::default())),
        Chapter::new("What a connection may cost", "[limits]", limits().rows(Connections::default())),
        Chapter::new("", "[timeouts]", timeouts().rows(Connections::default())),
        Chapter::new("", "[h2]", h2().rows(Connections::default())),
        Chapter::new("What is kept and said", "[state]", state().rows(State::default())),
        Chapter::new("", "[log]", log().rows(Log::default())),
        Chapter::new("", "[admin]", admin().rows(Admin::default())),
    ]
}

/// All settings.
pub(crate) fn rows() -> impl Iterator<Item = Row> {
    chapters().into_iter().flat_map(|chapter| chapter.rows)
}

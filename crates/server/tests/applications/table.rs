//! `crates/server/APPLICATIONS.md`: application by application.

use std::fmt::Write as _;

use super::differences::Differences;

/// What became of one application.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) steps: usize,
    /// Paths that were fetched, page by page.
    pub(crate) requests: usize,
    /// Page views in which something was hinted.
    pub(crate) hinted: usize,
    pub(crate) differences: Differences,
}

impl Row {
    pub(crate) fn faults(&self) -> Vec<String> {
        let Differences { statuses, bodies, cookies, console, twice } = &self.differences;
        let all = [("status", statuses), ("body", bodies), ("cookie", cookies), ("console", console), ("twice", twice)];
        let lines = all.iter().flat_map(|(what, lines)| lines.iter().map(move |line| format!("{what}: {line}")));
        let mut faults: Vec<String> = lines.map(|line| format!("{}: {line}", self.name)).collect();
        if self.hinted == 0 {
            faults.push(format!("{}: nothing was hinted, so that nothing is known of hints", self.name));
        }
        faults
    }
}

const HEAD: &str = "\
# Applications behind the program

`cargo xtask applications` makes this table: Chromium uses each application by itself (`http://`) and, with a new profile and the
application as it was, through the program (`https://`, HTTP/2), after a run from which the program has learned. The same has
to come out: what a page fetches with its statuses, the bytes of what it pulls in, the words of pages that the server makes, what
scripts return, cookies with their attributes, and the console. The application is used by itself at least twice: what differs
between two such visits (tokens, times) may differ through the program, and nothing else. What is fetched no more often than
without the program is not fetched twice.

| application | version | steps | fetched | views hinted | statuses | bodies | cookies | console | fetched twice |
|---|---|---:|---:|---:|---|---|---|---|---|
";

const FOOT: &str = "
Django's admin: login (wrong and right), a form with an upload of 250 KB, the list, the file, a change form, 404, a POST without
its token. JupyterLab: the launcher, an upload of 250 KB, a kernel that answers over a WebSocket (RFC 8441 through the program).
MkDocs: ten pages as it generates them.
WordPress (nginx, php-fpm, MariaDB): pages, a comment, the login, the block editor, posts written and removed by REST, an upload
of 250 KB and the file, 404. MediaWiki (the same): pages and what its loader fetches, the login, an edit, an upload of 250 KB and
the file, its interface for programs, 404. Next.js (a build): a page that becomes alive, navigation without a new page, a page
that comes in pieces, an upload of 250 KB, 404.
";

/// `absent` are those that are not installed.
pub(crate) fn text(rows: &[Row], absent: &[&str]) -> String {
    let mut text = HEAD.to_owned();
    for row in rows {
        let Differences { statuses, bodies, cookies, console, twice } = &row.differences;
        let same =
            |lines: &[String]| if lines.is_empty() { "same".to_owned() } else { format!("{} differ", lines.len()) };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.version,
            row.steps,
            row.requests,
            row.hinted,
            same(statuses),
            same(bodies),
            same(cookies),
            same(console),
            if twice.is_empty() { "nothing".to_owned() } else { twice.len().to_string() },
        );
    }
    text.push_str(FOOT);
    if !absent.is_empty() {
        let _ = writeln!(text, "\nCould not be installed here, and was not tried: {}.", absent.join(", "));
    }
    text
}

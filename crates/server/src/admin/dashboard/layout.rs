//! What all pages have around them.

use maud::{DOCTYPE, Markup, html};

/// A part of a page that is kept up to date.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What stands between the title and the part that changes.
    pub(super) lead: Option<Markup>,
    pub(super) body: Markup,
}

/// A whole page. `events` is the address of the stream that keeps its sections up to date.
pub(super) fn page(title: &str, crumbs: &Markup, sections: &[Section], events: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Headstart" }
                link rel="stylesheet" href="/dashboard.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                script src="/dashboard.js" defer {}
                noscript { meta http-equiv="refresh" content="15"; }
            }
            body {
                a class="skip" href="#content" { "Skip to the content" }
                header {
                    a class="brand" href="/" {
                        svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" {
                            rect class="without" x="1" y="5" width="20" height="4" rx="2" {}
                            rect class="with" x="1" y="13" width="12" height="4" rx="2" {}
                        }
                        "Headstart"
                    }
                    nav aria-label="Where you are" { (crumbs) }
                    span id="live" role="status" { noscript { "updated every 15 s" } }
                }
                main id="content" data-events=(events) {
                    @for section in sections {
                        section aria-labelledby=(format!("{}-title", section.id)) {
                            h2 id=(format!("{}-title", section.id)) { (section.title) }
                            @if let Some(lead) = &section.lead { (lead) }
                            div id=(section.id) data-live { (section.body) }
                        }
                    }
                }
                footer {
                    a href="/metrics" { "metrics" } " " a href="/state" { "state" } " " a href="/health" { "health" }
                    p { "Headstart " (env!("CARGO_PKG_VERSION")) ". Pages and assets that too few networks have loaded are counted, not named." }
                }
            }
        }
    }
}

//! The frame around every page.

use maud::{DOCTYPE, Markup, html};

/// A part of a page that is kept up to date.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// The part between the title and the part that changes.
    pub(super) lead: Option<Markup>,
    pub(super) body: Markup,
    /// Whether there is nothing to see in it yet.
    pub(super) is_empty: bool,
}

impl Section {
    pub(super) fn new(id: &'static str, title: &'static str, body: Markup) -> Self {
        Self { id, title, lead: None, body, is_empty: false }
    }

    pub(super) fn lead(self, lead: Markup) -> Self {
        Self { lead: Some(lead), ..self }
    }

    pub(super) fn empty_if(self, is_empty: bool) -> Self {
        Self { is_empty, ..self }
    }
}

/// In their order, but those in which there is nothing to see come last.
pub(super) fn ordered(mut sections: Vec<Section>) -> Vec<Section> {
    sections.sort_by_key(|section| section.is_empty);
    sections
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
                (patterns())
                main id="content" data-events=(events) {
                    h1 { (title) }
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

/// Surfaces of the classes of plots, told apart without their colours: the stylesheet fills shapes with them.
fn patterns() -> Markup {
    let lines = [
        ("without", "M0 6L6 0M-1 1L1 -1M5 7L7 5"),
        ("sky", "M3 1.5L3 4.5M1.5 3L4.5 3"),
        ("green", "M1.5 0L1.5 6"),
        ("faint", "M0 1.5L6 1.5"),
        ("bad", "M0 6L6 0M0 0L6 6"),
    ];
    html! {
        svg class="patterns" width="0" height="0" aria-hidden="true" {
            defs {
                @for (name, path) in lines {
                    pattern id=(format!("pattern-{name}")) width="6" height="6" patternUnits="userSpaceOnUse" {
                        rect class=(format!("ground {name}-ground")) width="6" height="6" {}
                        path class="strokes" d=(path) {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_comes_last_and_the_rest_keeps_its_order() {
        let section = |id, is_empty| Section::new(id, "", html! {}).empty_if(is_empty);
        let sections = ordered(vec![section("a", true), section("b", false), section("c", true), section("d", false)]);
        assert_eq!(sections.iter().map(|section| section.id).collect::<Vec<_>>(), ["b", "d", "a", "c"]);
    }
}

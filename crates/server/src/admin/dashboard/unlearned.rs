//! Why requests and responses taught nothing, by reason.

use headstart::Unlearned;
use maud::html;

use super::super::sources::Sources;
use super::format;
use super::layout::Section;

/// `None` as long as everything taught something.
pub(super) fn section(sources: &Sources) -> Option<Section> {
    let counts = sources.headstart.unlearned();
    let mut reasons: Vec<(Unlearned, u64)> = counts.iter().filter(|(_, count)| *count > 0).collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if reasons.is_empty() {
        return None;
    }
    let body = html! {
        table {
            thead { tr { th { "Requests and responses" } th { "Why they taught nothing" } } }
            tbody {
                @for (reason, count) in reasons {
                    tr { td { (format::count(count)) } td { (reason) } }
                }
            }
        }
    };
    Some(Section::new("unlearned", "What taught nothing", body))
}

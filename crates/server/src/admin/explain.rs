//! `/explain`: why each asset of a page would be sent early or not.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use headstart::KnowledgeText;
use headstart::learn::{Explanation, Knowledge, PageReasons, Verdict};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::{App, json_response};
use super::sources::Sources;

/// Pages that are looked at for the sites there are.
const MAX_PAGES: usize = 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    page: Option<String>,
    host: Option<String>,
}

/// JSON, or a table for those who ask for text.
pub(super) async fn explain(State(app): State<App>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let Some(page) = asked.page.filter(|page| page.starts_with('/')) else {
        let text = "which page? /explain?page=/path&host=example.org\n";
        return (StatusCode::BAD_REQUEST, text).into_response();
    };
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let as_text = accept.contains("text/plain") || accept.contains("text/html");
    let answer = tokio::task::spawn_blocking(move || answer(&app.sources, asked.host.as_deref(), &page, as_text)).await;
    answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn answer(sources: &Sources, host: Option<&str>, page: &str, as_text: bool) -> Response {
    let host = match host.map(str::to_ascii_lowercase) {
        Some(host) => host,
        None => match &sites(sources)[..] {
            [only] => only.clone(),
            sites => {
                let text = format!("which site? name one with &host=; known: {}\n", sites.join(", "));
                return (StatusCode::BAD_REQUEST, text).into_response();
            }
        },
    };
    let explanation = published(sources.headstart.explain(&host, page).unwrap_or_default());
    if as_text {
        let mut text = crate::explain_table::table(&host, page, &explanation);
        if !explanation.named {
            text.push_str(
                "\nThe page itself is not known, or has been loaded from too few networks to be spoken of.\n",
            );
        }
        return text.into_response();
    }
    json_response(&as_json(&host, page, &explanation))
}

/// The sites of which one of the heaviest pages may be named.
fn sites(sources: &Sources) -> Vec<String> {
    let mut sites: Vec<String> =
        sources.headstart.pages(MAX_PAGES).shown.into_iter().map(|page| page.authority.into()).collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

/// The explanation as it may be shown. Of a page below the network gate that is what everybody would get with it; not
/// even whether it has been
/// loaded.
fn published(mut explanation: Explanation) -> Explanation {
    if !explanation.named {
        // A template or a section that few have loaded would tell as much.
        explanation.levels.clear();
        explanation.assets.retain(|asset| asset.verdict == Verdict::Planned);
        explanation.hidden = 0;
        explanation.reasons = PageReasons::default();
        explanation.state = Knowledge::Unknown;
    }
    explanation
}

fn as_json(host: &str, page: &str, explanation: &Explanation) -> Value {
    let levels = explanation.levels.iter().map(|level| {
        let name = format!("{:?}", level.level).to_lowercase();
        json!({"level": name, "weight": level.weight, "visits": level.visits})
    });
    let assets = explanation.assets.iter().map(|asset| {
        json!({
            "path": &*asset.path,
            "destination": asset.destination.as_str(),
            "bytes": asset.bytes,
            "hits": asset.hits,
            "mute": asset.mute,
            "effective": asset.effective,
            "probability": asset.probability,
            "lower_bound": asset.lower_bound,
            "networks": asset.networks,
            "order": asset.rank,
            "verdict": verdict(asset.verdict),
        })
    });
    let unlearned: serde_json::Map<String, Value> = crate::reasons_text::reasons(&explanation.reasons)
        .into_iter()
        .map(|reason| (reason.name.to_owned(), reason.count.into()))
        .collect();
    json!({
        "host": host,
        "page": page,
        "named": explanation.named,
        "known": KnowledgeText(explanation.state).to_string(),
        "levels": levels.collect::<Vec<_>>(),
        "assets": assets.collect::<Vec<_>>(),
        "hidden_assets": explanation.hidden,
        "unlearned": unlearned,
    })
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Alternative => "alternative",
        Verdict::BelowThreshold => "below_threshold",
        Verdict::BeyondLimit => "beyond_limit",
        Verdict::FewNetworks => "few_networks",
        Verdict::FewVisits => "few_visits",
        Verdict::Late => "late",
        Verdict::Planned => "planned",
        _ => "other",
    }
}

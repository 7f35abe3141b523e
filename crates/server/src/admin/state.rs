//! `/state`: what is known, as JSON.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::app::{App, json_response};
use super::sources::Sources;

/// Pages that are listed; the heaviest.
const MAX_PAGES: usize = 1024;

pub(super) async fn state(State(app): State<App>) -> Response {
    match tokio::task::spawn_blocking(move || as_json(&app.sources)).await {
        Ok(value) => json_response(&value),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn as_json(sources: &Sources) -> Value {
    let known = sources.headstart.pages(MAX_PAGES);
    let stats = sources.headstart.learner().stats();
    let names = known.shown.iter().map(|page| (&*page.authority, &*page.path));
    let summaries = sources.ledger.summaries(names);
    let pages = known.shown.iter().zip(summaries).map(|(page, summary)| {
        json!({
            "host": &*page.authority,
            "path": &*page.path,
            "weight": page.weight,
            "visits": page.visits,
            "assets": page.assets,
            "views": summary.views,
            "pushed": summary.counts.pushed,
            "hinted": summary.counts.hinted,
            "linked": summary.counts.linked,
            "held": summary.counts.held,
            "wasted_bytes": summary.counts.wasted_bytes,
        })
    });
    json!({
        "learner": {
            "bytes": stats.bytes,
            "sites": stats.sites,
            "nodes": stats.pages,
            "assets": stats.assets,
            "shown_assets": stats.shown_assets,
            "edges": stats.edges,
            "plans": stats.plans,
            "open_visits": stats.open_visits,
            "visits_learned": stats.learned,
        },
        "min_networks": sources.min_networks,
        "unlearned": sources.headstart.unlearned().iter().map(|(reason, count)| (reason.name().to_owned(), count.into())).collect::<Map<_, _>>(),
        "snapshot_age_seconds": sources.snapshot_age().map(|age| age.as_secs()),
        "pages_named": known.passed,
        "pages_hidden": known.hidden,
        "pages": pages.collect::<Vec<_>>(),
    })
}

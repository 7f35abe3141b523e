//! What Headstart does, as numbers of the `metrics` crate; here an exporter shows them at `/metrics`. What was decided for
//! one page view is `Decided` in the extensions of its request, for access logs.
//!
//! `cargo run --package headstart-examples --example events_into_metrics [ADDRESS]`

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::{Decision, Event, Headstart};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use metrics_exporter_prometheus::PrometheusBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let exporter = PrometheusBuilder::new().install_recorder()?;

    // On loopback all clients are one network: let one teach. Elsewhere leave the default of three.
    let headstart = Headstart::builder().min_networks(1).holdout(0).on_event(count).build()?;
    let app = Router::new()
        .route("/", get(async || Html("<link rel=stylesheet href=/app.css><h1>Hello</h1>")))
        .route("/app.css", get(async || ([(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")], "h1 {}")))
        .route("/metrics", get(async move || exporter.render()));

    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    headstart.serve(listener, None, app).await?;
    Ok(())
}

/// Runs on the task of a connection: it counts, and does nothing that waits. Labels are of a fixed number; a path as a
/// label would let clients make up series.
fn count(event: &Event) {
    match event {
        Event::View(view) => {
            let held_out = if view.held_out { "yes" } else { "no" };
            metrics::counter!("headstart_views", "outlet" => view.outlet.to_string(), "held_out" => held_out)
                .increment(1);
            for (decision, name) in [
                (Decision::Pushed, "pushed"),
                (Decision::Hinted, "hinted"),
                (Decision::Linked, "linked"),
                (Decision::Held, "held"),
            ] {
                let assets = view.with(decision).count() as u64;
                metrics::counter!("headstart_assets", "decision" => name).increment(assets);
            }
        }
        Event::Push(push) => {
            metrics::counter!("headstart_pushes", "outcome" => push.outcome.to_string()).increment(1);
            metrics::counter!("headstart_pushed_bytes").increment(push.bytes);
        }
        Event::Visit(visit) => {
            if let Some(complete) = visit.complete {
                metrics::histogram!("headstart_complete_seconds", "outlet" => visit.outlet.to_string())
                    .record(complete.as_secs_f64());
            }
        }
        _ => {}
    }
}

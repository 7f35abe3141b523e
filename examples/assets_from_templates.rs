//! A template knows what its page needs before anyone has asked for it: here maud writes the elements and the list of
//! `Assets` from one place, and the first client of all is helped. What clients load beside these is learned as ever.
//!
//! `cargo run --package headstart-examples --example assets_from_templates [ADDRESS]`

use axum::routing::get;
use axum::{Extension, Router};
use headstart::{Assets, Destination, Headstart};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use maud::{DOCTYPE, Markup, html};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let asset = |media, body| get(async move || ([(CONTENT_TYPE, media), (CACHE_CONTROL, "max-age=3600")], body));
    let app = Router::new()
        .route("/", get(home))
        .route("/app.css", asset("text/css", "h1 { color: teal }"))
        .route("/app.js", asset("text/javascript", "export {}"));

    let headstart = Headstart::builder().holdout(0).on_page_view(|view| println!("{view}")).build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    headstart.serve(listener, None, app).await?;
    Ok(())
}

async fn home() -> (Extension<Assets>, Markup) {
    let mut head = Head::default();
    let style = head.style("/app.css");
    let module = head.module("/app.js");
    let page = html! {
        (DOCTYPE)
        title { "From a template" }
        (style)
        h1 { "Hello" }
        (module)
    };
    // In the extensions of the response: axum puts them there.
    (Extension(head.assets), page)
}

/// Writes elements and notes what they need, the most needed first.
#[derive(Default)]
struct Head {
    assets: Assets,
}

impl Head {
    fn style(&mut self, path: &str) -> Markup {
        self.assets = std::mem::take(&mut self.assets).with(path, Destination::Style);
        html! { link rel="stylesheet" href=(path); }
    }

    /// Modules are fetched in CORS mode: named otherwise, a browser would fetch them twice.
    fn module(&mut self, path: &str) -> Markup {
        self.assets = std::mem::take(&mut self.assets).with_cors(path, Destination::Script);
        html! { script type="module" src=(path) {} }
    }
}

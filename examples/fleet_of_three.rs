//! Three servers that learn as one: what visits say at one of them is hinted and pushed by all. They meet in a directory
//! that they share; `Redis` of the feature `redis` takes its place where they are on several machines. Here they are three
//! ports of one process, so that the example is one file.
//!
//! `cargo run --package headstart-examples --example fleet_of_three [DIRECTORY]`, then visit the same site at one port and at
//! another: `nghttp --get-assets -ns -H ':authority: shop.example' http://127.0.0.1:PORT/`. A site is known by its name.

use std::path::PathBuf;
use std::time::Duration;

use headstart::Headstart;
use headstart::fleet::{Directory, Fleet, Keys};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

/// A server of the fleet. All of them have the same keys, and each has a name of its own.
async fn server(shared: PathBuf, keys: Keys, name: &'static str) -> Result<(), Box<dyn std::error::Error>> {
    let fleet = Fleet::new(Directory::new(shared), keys, name)?
        // The defaults are ten and two seconds; this is for who watches.
        .publish(Duration::from_millis(500))
        .read(Duration::from_millis(500));
    let headstart = Headstart::builder()
        .min_networks(1)
        .holdout(0)
        .window(Duration::from_millis(500))
        .on_page_view(move |view| println!("{name}: {view}"))
        .fleet(fleet)
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{name}: http://{}/", listener.local_addr()?);
    // Serving joins the fleet. Nothing waits for it: a server that cannot reach the others goes on alone.
    let site = ServeDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/site"));
    headstart.serve(listener, None, site).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shared = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "fleet".to_owned()));
    // On several machines this is a file that only the servers can read: `Keys::read`.
    let keys = Keys::random()?;
    tokio::try_join!(
        server(shared.clone(), keys.clone(), "web-1"),
        server(shared.clone(), keys.clone(), "web-2"),
        server(shared, keys, "web-3"),
    )?;
    Ok(())
}

//! The codec alone: a fingerprint of what a client holds, as a cookie value. No server, no other crate.
//!
//! `cargo run --package headstart-examples --example codec_alone`

use headstart_gcs::{Builder, HeadstartV1, Set, from_base64url, to_base64url};

/// A secret of the deployment: whoever knows it can make up names that collide.
const KEY: [u8; 16] = *b"an example's key";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One name in 2^8 that was never added is taken as held once 2^6 names are in the set.
    let profile = HeadstartV1::new(KEY, 8, 6);
    let mut builder = Builder::new(profile);
    for path in ["/app.css", "/app.js", "/logo.svg"] {
        builder.insert(path.as_bytes());
    }
    let cookie = to_base64url(&builder.finish());
    println!("cookie: {cookie} ({} characters)", cookie.len());

    // Bytes from a client need not be trusted: at most 1,024 of them, at most 64 names.
    let mut held = Set::decode(profile, &from_base64url(&cookie, 1024)?, 64)?;
    for path in ["/app.css", "/new.css"] {
        println!("{path}: {}", if held.contains(path.as_bytes()) { "held" } else { "absent" });
    }

    held.insert(b"/new.css");
    println!("{} names after one more: {}", held.len(), to_base64url(&held.encode()));

    let broken = Set::decode(profile, &from_base64url("EUA", 1024)?, 64);
    println!("a broken cookie: {}", broken.err().map_or_else(String::new, |error| error.to_string()));
    Ok(())
}

//! Whatever a request to a directory says, nothing from outside comes back, and a response is as long as it says.

use std::sync::LazyLock;

use headstart_files::{Config, StaticFiles};
use http::{HeaderValue, Request, Uri, header};
use http_body_util::BodyExt as _;
use tokio::runtime::{Builder, Runtime};
use tower::Service as _;

const OUTSIDE: &str = "outside of what is served";

static SITE: LazyLock<(Runtime, StaticFiles)> = LazyLock::new(|| {
    let around = std::env::temp_dir().join(format!("headstart-fuzz-{}", std::process::id()));
    let root = around.join("site");
    std::fs::create_dir_all(root.join("notes")).unwrap();
    std::fs::write(around.join("secret"), OUTSIDE).unwrap();
    std::fs::write(root.join(".env"), OUTSIDE).unwrap();
    std::fs::write(root.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(root.join("digits.txt"), "0123456789").unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let files = StaticFiles::new(&root, Config::default()).unwrap();
    (runtime, files)
});

/// One input.
pub fn run(bytes: &[u8]) {
    // Path, range and condition, a line each.
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let Ok(uri) = Uri::try_from(lines.next().unwrap_or_default()) else { return };
    let mut request = Request::builder().uri(uri).header(header::HOST, "a").body(()).unwrap();
    for name in [header::RANGE, header::IF_NONE_MATCH] {
        if let Some(Ok(value)) = lines.next().map(HeaderValue::from_bytes) {
            request.headers_mut().insert(name, value);
        }
    }
    let (runtime, files) = &*SITE;
    let response = runtime.block_on(async { files.clone().call(request).await }).unwrap();
    let length = response.headers().get(header::CONTENT_LENGTH).cloned();
    let body = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
    assert!(!body.windows(OUTSIDE.len()).any(|window| window == OUTSIDE.as_bytes()));
    if let Some(length) = length {
        assert_eq!(length.to_str().unwrap(), body.len().to_string());
    }
}

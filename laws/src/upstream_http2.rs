//! Whatever a server says over HTTP/2, the proxy gives a final status, and a body of the length that it says or none that is
//! whole.

use std::sync::LazyLock;

use http::{Request, header};
use http_body_util::{BodyExt as _, Empty};
use tower::Service as _;

use crate::answers::Answers;

static ANSWERS: LazyLock<Answers> = LazyLock::new(|| Answers::start("h2c"));

/// One input: what the server says after its empty SETTINGS.
///
/// # Panics
///
/// If the law is broken.
pub fn run(bytes: &[u8]) {
    let Answers { runtime, proxy, .. } = &*ANSWERS;
    let said = [b"\0\0\0\x04\0\0\0\0\0", bytes].concat();
    ANSWERS.set(move |_| said.clone());
    let request = Request::builder().uri("/app.css").header(header::HOST, "a");
    let request = request.body(Empty::<bytes::Bytes>::new()).expect("a request");
    runtime.block_on(async {
        let Ok(response) = proxy.clone().call(request).await;
        assert!(!response.status().is_informational());
        let length = response.headers().get(header::CONTENT_LENGTH).cloned();
        let has_body = response.status() != 304;
        if let (Ok(body), Some(length), true) = (response.into_body().collect().await, length, has_body) {
            let said = length.to_str().ok().and_then(|length| length.parse::<usize>().ok());
            assert_eq!(said, Some(body.to_bytes().len()));
        }
    });
}

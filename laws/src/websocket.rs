//! Whatever a server answers to a WebSocket, the client is told of a change of protocols only if the server agreed with the
//! right key.

use std::sync::LazyLock;

use headstart::Headstart;

use crate::answers::Answers;
use crate::serve::through;

static ANSWERS: LazyLock<Answers> = LazyLock::new(|| Answers::start("http"));
static HEADSTART: LazyLock<Headstart> =
    LazyLock::new(|| Headstart::builder().build().expect("the settings are in range"));

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Of the key above (RFC 6455, section 1.3).
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// One input: the server's answer.
///
/// # Panics
///
/// If the law is broken.
pub fn run(bytes: &[u8]) {
    let said = bytes.to_vec();
    ANSWERS.set(move |_| said.clone());
    let heard = through(&ANSWERS, &HEADSTART, REQUEST);
    let heard = String::from_utf8_lossy(&heard).into_owned();
    assert!(heard.starts_with("HTTP/1.1 "), "{heard:?}");
    if heard.starts_with("HTTP/1.1 101") {
        let said = String::from_utf8_lossy(bytes).into_owned();
        assert!(said.contains(" 101") && said.contains(ACCEPT), "{said:?} became {heard:?}");
    }
}

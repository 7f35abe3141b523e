//! Whatever a client sends over HTTP/1.1, no two readers of it disagree on the requests that a service gets: one that goes
//! by `Content-Length`, one that goes by `Transfer-Encoding`, and one that accepts only what RFC 9112 has.

use std::sync::LazyLock;

use headstart::Headstart;

use crate::connection::converse;

static HEADSTART: LazyLock<Headstart> =
    LazyLock::new(|| Headstart::builder().build().expect("the settings are in range"));

/// A request as a reader sees it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    method: Vec<u8>,
    target: Vec<u8>,
    content: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    ByLength,
    ByCoding,
    /// Stops at what it would have to guess.
    Strictly,
}

/// One input.
///
/// # Panics
///
/// If readers disagree.
pub fn run(bytes: &[u8]) {
    if bytes.starts_with(b"PRI * HTTP/2.0") {
        return;
    }
    let (got, _) = converse(&HEADSTART, &[], bytes);
    let by_length = requests(bytes, Goes::ByLength);
    let by_coding = requests(bytes, Goes::ByCoding);
    for at in 0..got.len().min(by_length.len()).min(by_coding.len()) {
        assert_eq!(by_length[at], by_coding[at], "the service was asked {} times", got.len());
    }
    for (got, strict) in got.iter().zip(requests(bytes, Goes::Strictly)) {
        assert_eq!(got.head.method.as_str().as_bytes(), strict.method);
        if let Some(content) = &got.content {
            assert_eq!(*content, strict.content);
        }
        let target = String::from_utf8_lossy(&strict.target).into_owned();
        let path = got.head.uri.path();
        assert!(target.contains(path) || path == "/", "{target} is not {path}");
    }
}

fn requests(mut rest: &[u8], goes: Goes) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(request) = request(&mut rest, goes) {
        seen.push(request);
    }
    seen
}

/// The next request; `None` at the end, or at what the reader does not understand.
fn request(rest: &mut &[u8], goes: Goes) -> Option<Seen> {
    let strict = goes == Goes::Strictly;
    if !strict {
        while let [b'\r' | b'\n', tail @ ..] = rest {
            *rest = tail;
        }
    }
    let first = line(rest, strict)?;
    let mut words = first.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || (strict && version != b"HTTP/1.1") || method.is_empty() || target.is_empty() {
        return None;
    }
    if strict && !(method.iter().all(u8::is_ascii_uppercase) && target.iter().all(u8::is_ascii_graphic)) {
        return None;
    }
    let (mut lengths, mut codings) = (Vec::new(), Vec::new());
    loop {
        let field = line(rest, strict)?;
        if field.is_empty() {
            break;
        }
        let colon = field.iter().position(|byte| *byte == b':')?;
        let (name, value) = (field.get(..colon)?.to_ascii_lowercase(), field.get(colon + 1..)?.trim_ascii());
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        if strict && (name.is_empty() || !name.iter().all(token) || !value.iter().all(plain)) {
            return None;
        }
        match &name[..] {
            b"content-length" => lengths.push(value),
            b"transfer-encoding" => codings.push(value),
            // What follows may be of another protocol.
            b"upgrade" | b"expect" | b"connection" if strict => return None,
            _ => {}
        }
    }
    if strict && (method == b"CONNECT" || lengths.len() + codings.len() > 1) {
        return None;
    }
    let chunked = codings.last().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    if strict && !codings.is_empty() && codings != [b"chunked"] {
        return None;
    }
    let content = match (lengths.first(), chunked) {
        (Some(length), _) if goes == Goes::ByLength || !chunked => {
            let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
            let content = rest.get(..length)?;
            *rest = rest.get(length..)?;
            content.to_vec()
        }
        (_, true) => chunks(rest, strict)?,
        (_, false) => Vec::new(),
    };
    Some(Seen { method: method.to_vec(), target: target.to_vec(), content })
}

/// The data of all chunks.
fn chunks(rest: &mut &[u8], strict: bool) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let size = line(rest, strict)?;
        let digits = size.split(|byte| *byte == b';').next()?;
        let digits = if strict { size } else { digits.trim_ascii() };
        if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            // The trailer section.
            loop {
                let field = line(rest, strict)?;
                if field.is_empty() {
                    return Some(content);
                }
                if strict {
                    return None;
                }
            }
        }
        content.extend(rest.get(..size)?);
        *rest = rest.get(size..)?;
        if !line(rest, strict)?.is_empty() {
            return None;
        }
    }
}

/// The next line without its end: CRLF, or for the lenient LF.
fn line<'a>(rest: &mut &'a [u8], strict: bool) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let found = rest.get(..end)?;
    *rest = rest.get(end + 1..)?;
    match found.strip_suffix(b"\r") {
        Some(found) => Some(found),
        None => (!strict).then_some(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_disagree_on_what_is_smuggled() {
        let both = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_ne!(requests(both, Goes::ByLength), requests(both, Goes::ByCoding));
        assert!(requests(both, Goes::Strictly).is_empty());
    }

    #[test]
    fn the_readers_agree_on_what_is_sound() {
        let sound = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\
            POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";
        let strict = requests(sound, Goes::Strictly);
        assert_eq!(strict.len(), 2);
        assert_eq!(strict, requests(sound, Goes::ByLength));
        assert_eq!(strict, requests(sound, Goes::ByCoding));
        let (got, _) = converse(&HEADSTART, &[], sound);
        assert_eq!(got.iter().filter_map(|got| got.content.clone()).collect::<Vec<_>>(), [&b"hello"[..], b"ok"]);
    }
}

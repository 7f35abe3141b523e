//! Prefixes that collectors put before a line: syslog, journald, Docker and CRI (Kubernetes).

use super::time;

/// The line without such a prefix; the line itself if it has none.
pub(super) fn strip(line: &str) -> &str {
    cri(line)
        .or_else(|| compose(line))
        .or_else(|| syslog(line))
        .or_else(|| rfc5424(line))
        .or_else(|| timestamps(line))
        .unwrap_or(line)
}

/// `2016-10-06T00:17:09.669794202Z stdout F LINE`
fn cri(line: &str) -> Option<&str> {
    let mut words = line.splitn(4, ' ');
    let is_time = time::rfc3339(words.next()?).is_some();
    let is_stream = matches!(words.next()?, "stdout" | "stderr");
    let is_tag = matches!(words.next()?, "F" | "P");
    words.next().filter(|_| is_time && is_stream && is_tag)
}

/// `web-1  | LINE`, of `docker compose logs`.
fn compose(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once("| ")?;
    let name = name.trim_end();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_name.then_some(rest)
}

/// `Oct 11 22:14:15 host nginx[7]: LINE` of RFC 3164 and `journalctl`, with a priority before it or with a time as in RFC
/// 3339 (`journalctl -o short-iso`).
fn syslog(line: &str) -> Option<&str> {
    let rest = priority(line).unwrap_or(line);
    let is_iso = rest.split(' ').next().is_some_and(|word| word.contains('T') && time::rfc3339(word).is_some());
    if !time::starts_as_syslog(rest) && !is_iso {
        return None;
    }
    let words = if is_iso { 1 } else { 3 };
    let mut header = rest;
    for _ in 0..words {
        header = header.trim_start().split_once(' ')?.1;
    }
    // A host may be left out, the tag ends with a colon.
    for _ in 0..2 {
        let (word, rest) = header.trim_start().split_once(' ')?;
        if let Some(tag) = word.strip_suffix(':') {
            let is_tag = !tag.is_empty() && !tag.starts_with(['"', '[']) && tag.parse::<std::net::IpAddr>().is_err();
            return is_tag.then_some(rest);
        }
        header = rest;
    }
    None
}

/// `<34>1 2003-10-11T22:14:15.003Z host app 7 ID - LINE`
fn rfc5424(line: &str) -> Option<&str> {
    let rest = priority(line)?.strip_prefix("1 ")?;
    let mut rest = rest;
    for _ in 0..5 {
        rest = rest.split_once(' ')?.1;
    }
    if let Some(rest) = rest.strip_prefix("- ") {
        return Some(rest);
    }
    // Structured data: elements in brackets, with quoted values.
    let end = rest.strip_prefix('[')?.find("] ")?;
    rest.get(end + 3..)
}

/// `2024-05-17T10:05:03Z LINE`, of `docker logs --timestamps`: only before a line that has a time of its own.
fn timestamps(line: &str) -> Option<&str> {
    let (word, rest) = line.split_once(' ')?;
    let has_own = rest.starts_with('{') || rest.contains(" [");
    (word.contains('T') && has_own && time::rfc3339(word).is_some()).then_some(rest)
}

/// The rest of the line after `<34>`.
fn priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    number.parse::<u8>().ok().map(|_| rest)
}

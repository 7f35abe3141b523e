//! Names that look as if they were made for one person.

/// Fields of a query that carry a credential or name a person, in lower case.
const PERSONAL_FIELDS: [&str; 30] = [
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "auth_token",
    "authorization",
    "awsaccesskeyid",
    "code",
    "credential",
    "email",
    "googleaccessid",
    "hmac",
    "id_token",
    "jwt",
    "mail",
    "otp",
    "passwd",
    "password",
    "pwd",
    "refresh_token",
    "secret",
    "session",
    "session_id",
    "sessionid",
    "sid",
    "sig",
    "signature",
    "ticket",
    "token",
    "user",
];
/// Their endings, for `X-Amz-Signature`, `csrf-token` and their kind.
const PERSONAL_ENDINGS: [&str; 5] = ["-credential", "-signature", "-token", "_signature", "_token"];
/// The least length of a segment that can be random, characters: 20 of hexadecimal digits are 80 bits.
const MIN_RANDOM: usize = 20;

/// Whether a path with query looks as if it was made for one person: it contains an e-mail address, a field such as
/// `token=` or `sig=`, or a long random segment. `shared` tells that the response says it is for everybody (`public` or
/// `immutable`), which excuses a random segment: fingerprints are random too.
pub(crate) fn is_personal(target: &str, shared: bool) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let fields = || query.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
    fields().any(|(name, value)| !value.is_empty() && is_personal_field(name))
        || path.split(['/', ';']).chain(fields().map(|(_, value)| value)).any(is_email)
        || path.split(';').skip(1).any(|field| field.split('=').next().is_some_and(is_personal_field))
        || (!shared && (path.split('/').any(is_random_segment) || fields().any(|(_, value)| is_random(value))))
}

fn is_personal_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PERSONAL_FIELDS.contains(&name.as_str())
        || name.starts_with("jsessionid")
        || PERSONAL_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// `local@domain.example`, with `@` or `%40`. A version as in `vue@3.4.1` is none: no domain ends in digits.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@').or_else(|| text.split_once("%40")) else {
        return false;
    };
    let Some((_, top)) = domain.rsplit_once('.') else {
        return false;
    };
    !local.is_empty() && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()) && !is_file_ending(top)
}

/// Endings of files, which are no domains: `icon@2x.png`.
fn is_file_ending(ending: &str) -> bool {
    crate::request::destination(&format!("/x.{}", ending.to_ascii_lowercase())).is_some()
}

/// A random segment of a path. A file's name that begins with a word and ends in a fingerprint, as bundlers write it
/// (`app-5f2c….js`, `main.5f2c….css`), is not.
fn is_random_segment(segment: &str) -> bool {
    let name = segment.rsplit_once('.').map_or(segment, |(name, _)| name);
    match name.rsplit_once(['.', '-', '_', '~']) {
        Some((stem, _)) if is_wordlike(stem) => false,
        _ => is_random(name),
    }
}

/// Whether a text is long and of the characters of base64url or hexadecimal digits, and changes between digits, capitals
/// and small letters as random text does.
fn is_random(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
    text.len() >= MIN_RANDOM && text.bytes().all(plain) && !is_wordlike(text)
}

/// Whether a text changes between digits, capitals and small letters less than once in five characters, as words and
/// dates do. Random text of hexadecimal digits changes after every second one.
fn is_wordlike(text: &str) -> bool {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let (mut count, mut changes, mut last) = (0_u32, 0_u32, None);
    for class in text.bytes().filter_map(class) {
        count += 1;
        changes += u32::from(last.is_some_and(|last| last != class));
        last = Some(class);
    }
    changes * 5 < count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(personal: bool, targets: &[&str]) {
        for target in targets {
            assert_eq!(is_personal(target, false), personal, "{target}");
        }
    }

    #[test]
    fn what_names_or_admits_one_person_is_personal() {
        check(
            true,
            &[
                "/u/alice@example.org/theme.css",
                "/u/alice%40example.org/theme.css",
                "/theme.css?mail=alice@example.org",
                "/theme.css?x=alice%40mail.example.org",
                "/reset?token=1",
                "/reset?Token=abc&x=1",
                "/a.css?X-Amz-Signature=ab",
                "/a.css;jsessionid=1A2B",
                "/share/Zk3xQ9aB7tY2mN5pL8wR/a.css",
                "/share/Zk3xQ9aB-7tY2mN5pL8wR/a.css",
                "/u/550e8400-e29b-41d4-a716-446655440000/avatar.png",
                "/f/9f86d081884c7d659a2feaa0c55ad015/x.css",
                "/a.css?v=9f86d081884c7d659a2feaa0c55ad015",
                "/9f86d081884c7d659a2feaa0c55ad015.css",
            ],
        );
    }

    #[test]
    fn ordinary_names_are_not() {
        check(
            false,
            &[
                "/",
                "/app.css?v=3",
                "/app.3f2a9c1b.js",
                "/application-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.css",
                "/static/chunks/main-9f86d081884c7d65.js",
                "/npm/vue@3.4.1/dist/vue.js",
                "/img/icon@2x.png",
                "/blog/my-holiday-photos-of-the-summer-2024/",
                "/iphone-15-pro-max-2024-review/style.css",
                "/wp-content/themes/twentytwentyfour/style.css?ver=6.4.2",
                "/index.php?title=Special:Search",
                "/reset?token=",
            ],
        );
    }

    #[test]
    fn a_response_for_everybody_excuses_fingerprints_only() {
        assert!(!is_personal("/9f86d081884c7d659a2feaa0c55ad015.css", true));
        assert!(is_personal("/a.css?token=1", true));
        assert!(is_personal("/u/alice@example.org/a.css", true));
    }
}

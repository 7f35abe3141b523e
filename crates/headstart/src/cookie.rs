//! Finds one cookie (RFC 6265, section 5.4; HTTP/2 may split the field, RFC 9113, section 8.2.3).

use http::HeaderMap;
use http::header::COOKIE;

/// The value of the first cookie of that name, in whichever `Cookie` field and however they are joined.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        // Other cookies may hold bytes that are no ASCII; each pair is read by itself.
        .flat_map(|field| field.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .find_map(|pair| pair.trim_matches([' ', '\t']).split_once('=').filter(|(found, _)| *found == name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[&str], value: Option<&str>) {
        let headers: HeaderMap = fields.iter().map(|field| (COOKIE, field.parse().unwrap())).collect();
        assert_eq!(find(&headers, "hs"), value);
    }

    #[test]
    fn joined_and_split() {
        check(&[], None);
        check(&["hs=1"], Some("1"));
        check(&["a=b; hs=1; hs=2"], Some("1"));
        check(&["a=b", "hs=1"], Some("1"));
        check(&["xhs=1; hsx=2"], None);
        check(&["a=hs=3; hs=a=b"], Some("a=b"));
        check(&["hs="], Some(""));
        check(&["hs"], None);
    }

    #[test]
    fn bytes_in_other_cookies_do_no_harm() {
        let field = http::HeaderValue::from_bytes(b"name=J\xfcrgen; hs=1").unwrap();
        assert_eq!(find(&HeaderMap::from_iter([(COOKIE, field)]), "hs"), Some("1"));
    }
}

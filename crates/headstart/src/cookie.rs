//! Finds one cookie (RFC 6265, section 5.4; HTTP/2 may split the field, RFC 9113, section 8.2.3).

use http::HeaderMap;
use http::header::COOKIE;

/// The value of the first cookie of that name, in whichever `Cookie` field and however they are joined.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'))
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
}

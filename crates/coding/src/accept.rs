//! `Accept-Encoding` (RFC 9110, section 12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::Coding;

/// How gladly a client takes each coding: a quality in thousandths, 0 for not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    codings: [u16; 3],
    identity: u16,
}

impl Accepted {
    /// Nothing but the content as it is: what a request without the field means here, for a client that knows of
    /// codings names them.
    pub const IDENTITY: Self = Self { codings: [0; 3], identity: 1000 };

    /// Reads the field. Members that cannot be read are passed over. Linear in the field.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut named: [Option<u16>; 3] = [None; 3];
        let (mut identity, mut rest) = (None, None);
        let mut any = false;
        for value in headers.get_all(ACCEPT_ENCODING) {
            let Ok(text) = value.to_str() else { continue };
            for member in text.split(',') {
                let Some((name, quality)) = read_member(member) else { continue };
                any = true;
                let place = match name {
                    name if name.eq_ignore_ascii_case("br") => &mut named[0],
                    name if name.eq_ignore_ascii_case("zstd") => &mut named[1],
                    name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => &mut named[2],
                    name if name.eq_ignore_ascii_case("identity") => &mut identity,
                    "*" => &mut rest,
                    _ => continue,
                };
                *place = Some(quality);
            }
        }
        if !any {
            return Self::IDENTITY;
        }
        let codings = named.map(|quality| quality.or(rest).unwrap_or(0));
        // Always acceptable unless it is refused; a client that lists codings would rather have one of them.
        let identity = identity.unwrap_or_else(|| u16::from(rest != Some(0)));
        Self { codings, identity }
    }

    /// The codings that it takes at least as gladly as the plain content, best first; of equals, the densest first.
    pub fn ranked(&self) -> impl Iterator<Item = Coding> {
        let [br, zstd, gzip] = self.codings;
        let mut order = [(br, Coding::Br), (zstd, Coding::Zstd), (gzip, Coding::Gzip)];
        // The sort is stable.
        order.sort_by_key(|&(quality, _)| std::cmp::Reverse(quality));
        let identity = self.identity;
        order.into_iter().filter(move |&(quality, _)| quality > 0 && quality >= identity).map(|(_, coding)| coding)
    }

    /// The codings that it takes most gladly, and no less gladly than the plain content: all of one quality, in the order
    /// of [`Coding::ALL`].
    pub fn favourites(&self) -> impl Iterator<Item = Coding> {
        let [br, zstd, gzip] = self.codings;
        let most = br.max(zstd).max(gzip);
        let wanted = most > 0 && most >= self.identity;
        let all = [(br, Coding::Br), (zstd, Coding::Zstd), (gzip, Coding::Gzip)];
        all.into_iter().filter(move |&(quality, _)| wanted && quality == most).map(|(_, coding)| coding)
    }
}

/// A name and its quality; one part in a thousand counts as it stands, more digits do not.
fn read_member(member: &str) -> Option<(&str, u16)> {
    let mut parts = member.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut quality = 1000;
    for part in parts {
        if let Some(("q" | "Q", text)) = part.split_once('=').map(|(name, value)| (name.trim_end(), value.trim_start()))
        {
            let value: f32 = text.parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
            quality = (value * 1000.0).round() as u16;
        }
    }
    Some((name, quality))
}

#[cfg(test)]
mod tests {
    use super::Coding::{Br, Gzip, Zstd};
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &[Coding]) {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().unwrap())]);
        assert_eq!(Accepted::read(&headers).ranked().collect::<Vec<_>>(), expected, "{value:?}");
    }

    #[test]
    fn order() {
        check("gzip, deflate, br, zstd", &[Br, Zstd, Gzip]);
        check("gzip", &[Gzip]);
        check("GZIP , BR", &[Br, Gzip]);
        check("br;q=0.5, gzip;q=0.8", &[Gzip, Br]);
        check("br;q=0, gzip", &[Gzip]);
        check("*", &[Br, Zstd, Gzip]);
        check("*;q=0", &[]);
        check("*;q=0.5, zstd", &[Zstd, Br, Gzip]);
        check("gzip, *;q=0", &[Gzip]);
        check("identity", &[]);
        check("identity;q=1, gzip;q=0.5", &[]);
        check("identity;q=0.2, gzip;q=0.5", &[Gzip]);
        check("identity;q=0, gzip;q=0.001", &[Gzip]);
        check("", &[]);
        check("deflate", &[]);
        check("compress, x-gzip", &[Gzip]);
    }

    #[test]
    fn favourites_have_one_quality() {
        let favourites = |value: &str| {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().unwrap())]);
            Accepted::read(&headers).favourites().collect::<Vec<_>>()
        };
        assert_eq!(favourites("gzip, deflate, br, zstd"), Coding::ALL);
        assert_eq!(favourites("br;q=0.5, gzip;q=0.8"), [Gzip]);
        assert_eq!(favourites("br;q=0.5, gzip;q=0.5, zstd;q=0.1"), [Br, Gzip]);
        assert_eq!(favourites("identity;q=0.9, gzip;q=0.8"), []);
        assert_eq!(favourites("br;q=0"), []);
        assert_eq!(favourites(""), []);
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        check("gzip;q=2, br", &[Br]);
        check("gzip;q=nan, br;q=-1", &[]);
        check(";;;,,;q=1, gzip", &[Gzip]);
        check("gzip;level=9;q=0.5", &[Gzip]);
        assert_eq!(Accepted::read(&HeaderMap::new()), Accepted::IDENTITY);
        let several = HeaderMap::from_iter([(ACCEPT_ENCODING, "gzip".parse().unwrap())]);
        let mut several = several;
        several.append(ACCEPT_ENCODING, "br".parse().unwrap());
        assert_eq!(Accepted::read(&several).ranked().collect::<Vec<_>>(), [Br, Gzip]);
    }
}

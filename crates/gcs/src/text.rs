//! base64url, the text of cookies and headers.

use alloc::{string::String, vec::Vec};

use data_encoding::{BASE64URL_NOPAD, DecodeKind};

use crate::{Error, ErrorKind};

/// Bytes as base64url without padding (RFC 4648, section 5).
pub fn to_base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Bytes out of base64url without padding. One text for each byte string: bits left over must be 0. O(text), and
/// allocates at most `max_bytes`.
///
/// # Errors
/// [`ErrorKind::TooLong`] or [`ErrorKind::Text`].
pub fn from_base64url(text: impl AsRef<[u8]>, max_bytes: usize) -> Result<Vec<u8>, Error> {
    decode(text.as_ref(), max_bytes, false)
}

/// The same, for text that others wrote: takes closing `=` signs, and ignores bits left over.
///
/// # Errors
/// [`ErrorKind::TooLong`] or [`ErrorKind::Text`].
pub fn from_base64url_lenient(text: impl AsRef<[u8]>, max_bytes: usize) -> Result<Vec<u8>, Error> {
    decode(text.as_ref().trim_ascii_end(), max_bytes, true)
}

fn decode(text: &[u8], max_bytes: usize, lenient: bool) -> Result<Vec<u8>, Error> {
    let mut text = text;
    for _ in 0..2 {
        match text {
            [rest @ .., b'='] if lenient => text = rest,
            _ => break,
        }
    }
    if text.len() / 4 * 3 + (text.len() % 4).saturating_sub(1) > max_bytes {
        return Err(Error::new(ErrorKind::TooLong, max_bytes as u64 * 8));
    }
    match BASE64URL_NOPAD.decode(text) {
        Ok(bytes) => Ok(bytes),
        Err(error) if lenient && error.kind == DecodeKind::Trailing => {
            let mut text = text.to_vec();
            if let Some(last) = text.last_mut() {
                *last = without_trailing_bits(*last, error.position % 4);
            }
            BASE64URL_NOPAD.decode(&text).map_err(at)
        }
        Err(error) => Err(at(error)),
    }
}

/// The last character with the bits that no byte holds set to 0: four of six at place 1, two at place 2.
fn without_trailing_bits(character: u8, place: usize) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mask = if place == 1 { 0b11_0000 } else { 0b11_1100 };
    let value = ALPHABET.iter().position(|&c| c == character).unwrap_or(0) & mask;
    ALPHABET.get(value).copied().unwrap_or(b'A')
}

fn at(error: data_encoding::DecodeError) -> Error {
    Error::new(ErrorKind::Text, error.position as u64 * 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_one_value_and_the_lenient_reader_takes_more() {
        assert_eq!(from_base64url("JA", 1), Ok(vec![0x24]));
        assert_eq!(to_base64url(&[0x24]), "JA");
        assert_eq!(from_base64url("JB", 1).unwrap_err().kind(), ErrorKind::Text);
        assert_eq!(from_base64url("JA==", 8).unwrap_err().kind(), ErrorKind::Text);
        for text in ["JA", "JB", "JP", "JA==", "JA ", "JA="] {
            assert_eq!(from_base64url_lenient(text, 1), Ok(vec![0x24]), "{text}");
        }
        assert_eq!(from_base64url_lenient("gU5", 2), Ok(vec![0x81, 0x4e]));
        for text in ["A", "J+", "J/", "J A", "\u{e4}\u{e4}", "JAAAA"] {
            assert_eq!(from_base64url_lenient(text, 99).unwrap_err().kind(), ErrorKind::Text, "{text}");
        }
    }

    #[test]
    fn the_limit_is_on_bytes() {
        assert_eq!(from_base64url("AAAA", 2).unwrap_err().kind(), ErrorKind::TooLong);
        assert_eq!(from_base64url("AAA", 2), Ok(vec![0, 0]));
        assert_eq!(from_base64url("", 0), Ok(vec![]));
    }
}

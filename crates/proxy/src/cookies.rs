//! Cookies by who set them.

use http::HeaderValue;

/// Whether all cookies of a field are among these.
pub(super) fn are_own(cookies: &HeaderValue, own: &[String]) -> bool {
    let Ok(text) = cookies.to_str() else { return false };
    let names = text.split(';').map(|pair| pair.split('=').next().unwrap_or_default().trim());
    names.filter(|name| !name.is_empty()).all(|name| own.iter().any(|own| own == name))
}

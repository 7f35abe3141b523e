//! The part of a query that tells pages apart.

use std::borrow::Cow;

/// Fields that name a campaign, a click or a message, and not a page.
const CAMPAIGN_FIELDS: [&str; 21] = [
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "dclid",
    "epik",
    "fbclid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "msclkid",
    "srsltid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
];

/// Beginnings of such fields.
const CAMPAIGN_PREFIXES: [&str; 4] = ["hsa_", "mtm_", "pk_", "utm_"];

/// The query without the fields that name a campaign, and without empty ones; `None` if nothing is left.
pub(crate) fn identifying<'q>(query: &'q str, more: &[Box<str>]) -> Option<Cow<'q, str>> {
    let name = |field: &'q str| field.split_once('=').map_or(field, |(name, _)| name);
    let identifies = |field: &&'q str| {
        let name = name(field);
        let campaign = CAMPAIGN_FIELDS.contains(&name)
            || CAMPAIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || more.iter().any(|field| **field == *name);
        !field.is_empty() && !campaign
    };
    let fields = || query.split('&');
    if query.is_empty() {
        return None;
    }
    if fields().all(|field| identifies(&field)) {
        return Some(Cow::Borrowed(query));
    }
    let kept: Vec<&str> = fields().filter(identifies).collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn campaigns_tell_no_pages_apart() {
        for (query, expected) in [
            ("p=5", Some("p=5")),
            ("title=A&action=edit", Some("title=A&action=edit")),
            ("utm_source=x&p=5&utm_medium=y", Some("p=5")),
            ("gclid=1", None),
            ("&&", None),
            ("", None),
            ("own=1&p=2", Some("p=2")),
            ("utmost=1", Some("utmost=1")),
        ] {
            assert_eq!(identifying(query, &["own".into()]).as_deref(), expected, "{query}");
        }
    }
}

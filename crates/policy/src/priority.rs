//! Urgency of a response (RFC 9218, Extensible Prioritization Scheme for HTTP).

use http::HeaderMap;
use http::header::HeaderName;

const PRIORITY: HeaderName = HeaderName::from_static("priority");

/// How urgent a response is, and whether a part of it is of use.
///
/// The default is that of RFC 9218, section 4: urgency 3, not incremental.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority {
    /// 0 (most urgent) to 7 (background).
    pub urgency: u8,
    /// Whether the client can use a part of it: such responses of one urgency take turns, others go one after another.
    pub incremental: bool,
}

impl Default for Priority {
    fn default() -> Self {
        Priority { urgency: 3, incremental: false }
    }
}

impl Priority {
    /// Reads the `priority` field of a request or response. Members that are missing, unknown or out of range
    /// leave the default (RFC 9218, section 4). Never fails.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self::overridden(Priority::default(), headers)
    }

    /// Reads the `priority` field with `self` in place of the defaults: a response's field overrides the request's
    /// (section 8).
    pub fn overridden(self, headers: &HeaderMap) -> Self {
        PriorityParameters::from_headers(headers).over(self)
    }

    /// Reads a field value, such as that of a PRIORITY_UPDATE frame (section 7.1). Never fails.
    pub fn from_field(value: &[u8]) -> Self {
        PriorityParameters::default().with_field(value).over(Priority::default())
    }
}

/// The priority parameters that a `priority` field sets (RFC 9218, section 4); those that it leaves out are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriorityParameters {
    urgency: Option<u8>,
    incremental: Option<bool>,
}

impl PriorityParameters {
    /// Reads the `priority` fields of a head. Unknown members and values out of range are ignored. Never fails.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        // Few heads have the field, and looking a name up costs more than looking at those that are there.
        if !headers.keys().any(|name| *name == PRIORITY) {
            return PriorityParameters::default();
        }
        headers
            .get_all(PRIORITY)
            .iter()
            .fold(PriorityParameters::default(), |parameters, value| parameters.with_field(value.as_bytes()))
    }

    fn with_field(mut self, value: &[u8]) -> Self {
        for member in value.split(|byte| *byte == b',') {
            // Parameters of a member carry no meaning here.
            let member = member.split(|byte| *byte == b';').next().unwrap_or_default();
            match member.trim_ascii() {
                [b'u', b'=', digit @ b'0'..=b'7'] => self.urgency = Some(digit - b'0'),
                b"i" | b"i=?1" => self.incremental = Some(true),
                b"i=?0" => self.incremental = Some(false),
                _ => {}
            }
        }
        self
    }

    /// The urgency, 0 to 7.
    pub fn urgency(&self) -> Option<u8> {
        self.urgency
    }

    /// Overlays these parameters on `base`; absent ones keep `base`'s value.
    pub fn over(self, base: Priority) -> Priority {
        Priority {
            urgency: self.urgency.unwrap_or(base.urgency),
            incremental: self.incremental.unwrap_or(base.incremental),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: &str, urgency: u8, incremental: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(PRIORITY, field.parse().unwrap());
        assert_eq!(Priority::from_headers(&headers), Priority { urgency, incremental }, "{field}");
    }

    #[test]
    fn members_are_read() {
        check("u=0, i", 0, true);
        check("u=5", 5, false);
        check("i", 3, true);
        check("i=?1,u=7", 7, true);
        check("u=1, i=?0", 1, false);
        check("u=2;x=1, i;y", 2, true);
    }

    #[test]
    fn nonsense_leaves_the_default() {
        for field in ["", "u=8", "u=-1", "u=", "u", "i=1", "U=1", "u=10", ",,,", "incremental"] {
            check(field, 3, false);
        }
    }

    #[test]
    fn the_response_overrides() {
        let mut headers = HeaderMap::new();
        headers.insert(PRIORITY, "u=6".parse().unwrap());
        let asked = Priority { urgency: 1, incremental: true };
        assert_eq!(asked.overridden(&headers), Priority { urgency: 6, incremental: true });
    }
}

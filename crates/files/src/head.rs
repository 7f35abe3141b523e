//! The header of a response that carries a file, made once and copied for each request.

use http::{HeaderMap, HeaderValue, header};

use super::cache_control::cache_control;
use super::config::Config;
use super::mime::{content_type, is_document};
use super::stamp::Modified;
use headstart_coding::{Coding, is_compressible};

/// What follows from the name of a file and the operator's rules, whatever its content is.
pub(super) struct Kind {
    pub(super) content_type: HeaderValue,
    /// Is it worth compressing?
    pub(super) compressible: bool,
    cache_control: HeaderValue,
    /// Fields that the operator adds.
    extra: HeaderMap,
}

impl Kind {
    pub(super) fn of(name: &str, config: &Config) -> Self {
        let content_type = content_type(name, &config.media_types);
        let ruled = config.cache_control.iter().find(|(pattern, _)| pattern.matches(name));
        let cache_control = match ruled {
            Some((_, value)) => value.clone(),
            None => cache_control(name, is_document(&content_type)),
        };
        let mut extra = HeaderMap::new();
        for (pattern, field, value) in &config.headers {
            if pattern.matches(name) && !Config::reserved(field) {
                extra.insert(field.clone(), value.clone());
            }
        }
        let compressible = content_type.to_str().is_ok_and(is_compressible);
        Self { content_type, compressible, cache_control, extra }
    }

    /// The header of a 200 with the whole content.
    pub(super) fn head(
        &self,
        len: u64,
        etag: &HeaderValue,
        modified: Option<&Modified>,
        coding: Option<Coding>,
        varies: bool,
    ) -> HeaderMap {
        // One more place for the cookie, and one for the links.
        let mut head = HeaderMap::with_capacity(10 + self.extra.len());
        head.insert(header::CONTENT_TYPE, self.content_type.clone());
        head.insert(header::CONTENT_LENGTH, len.into());
        head.insert(header::ETAG, etag.clone());
        if let Some(modified) = modified {
            head.insert(header::LAST_MODIFIED, modified.header.clone());
        }
        head.insert(header::CACHE_CONTROL, self.cache_control.clone());
        if varies {
            head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        match coding {
            Some(coding) => head.insert(header::CONTENT_ENCODING, coding.value()),
            // Ranges are of the plain content alone.
            None => head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        };
        head.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (field, value) in &self.extra {
            head.insert(field.clone(), value.clone());
        }
        head
    }
}

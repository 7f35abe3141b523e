//! The header of a response that carries a file, made once and copied for each request.

use http::{HeaderMap, HeaderValue, header};

use super::cache_control::cache_control;
use super::charset::names_other_charset;
use super::config::Config;
use super::mime::{coded_by_name, content_type, is_document};
use super::stamp::Modified;
use headstart_coding::{Coding, is_compressible};

/// The headers that depend on the name of a file and the operator's rules, and not on its content.
pub(super) struct Kind {
    pub(super) content_type: HeaderValue,
    /// Is it worth compressing?
    pub(super) compressible: bool,
    /// The coding that its bytes have, whoever asks: `.svgz`, builds of Unity and Godot, or what the operator says.
    pub(super) own_coding: Option<HeaderValue>,
    cache_control: HeaderValue,
    /// Fields that the operator adds.
    extra: HeaderMap,
}

impl Kind {
    pub(super) fn of(name: &str, config: &Config) -> Self {
        let (content_type, mut own_coding) = match coded_by_name(name) {
            Some((stem, coding)) => (content_type(stem, &config.media_types), Some(coding.value())),
            None => (content_type(name, &config.media_types), None),
        };
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
        own_coding = extra.remove(header::CONTENT_ENCODING).or(own_coding);
        let compressible = own_coding.is_none() && content_type.to_str().is_ok_and(is_compressible);
        Self { content_type, compressible, own_coding, cache_control, extra }
    }

    /// Takes back `charset=utf-8` where the content names another: the field would win over it (RFC 7303, section 3; HTML).
    pub(super) fn settle_charset(&mut self, content: &[u8]) {
        let Some((essence, "charset=utf-8")) = self.content_type.to_str().ok().and_then(|text| text.split_once("; "))
        else {
            return;
        };
        if matches!(essence, "text/html" | "text/xml")
            && names_other_charset(content)
            && let Ok(bare) = HeaderValue::from_str(essence)
        {
            self.content_type = bare;
        }
    }

    /// The fields that do not depend on the content.
    pub(super) fn fields(&self, modified: Option<&Modified>) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(10 + self.extra.len());
        fields.insert(header::CONTENT_TYPE, self.content_type.clone());
        if let Some(modified) = modified {
            fields.insert(header::LAST_MODIFIED, modified.header.clone());
        }
        fields.insert(header::CACHE_CONTROL, self.cache_control.clone());
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (field, value) in &self.extra {
            fields.insert(field.clone(), value.clone());
        }
        fields
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
        let mut head = self.fields(modified);
        head.insert(header::CONTENT_LENGTH, len.into());
        head.insert(header::ETAG, etag.clone());
        if varies {
            head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        match coding.map(Coding::value).or_else(|| self.own_coding.clone()) {
            Some(coding) => head.insert(header::CONTENT_ENCODING, coding),
            // Ranges are of the plain content alone.
            None => head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        };
        head
    }
}

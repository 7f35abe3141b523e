//! Names, fields and types of a site's files: tables whose keys are free.

use http::{HeaderName, HeaderValue, StatusCode};

use super::entries::{HeaderEntry, ProxyEntry};
use super::place::At;
use super::section::Section;
use super::setting::Group;
use headstart_files::{Config, Pattern};

/// `error_pages`: the file that answers, by status.
pub(super) fn error_pages(section: &mut Section<'_>, key: &'static str, config: &mut Config) {
    for (status, page) in section.pairs::<String>(key) {
        let known = status.value.parse::<u16>().ok().filter(|status| (400..=599).contains(status));
        match (known.and_then(|status| StatusCode::from_u16(status).ok()), below_directory(&page.value)) {
            (Some(status), Ok(())) => drop(config.error_pages.insert(status, page.value)),
            (Some(_), Err(why)) => section.problem_at(&page, why),
            (None, _) => section.problem_at(&status, "is not the status of an error, 400 to 599"),
        }
    }
}

/// `cache_control`: the first pattern that matches counts, so the order in the file matters.
pub(super) fn cache_control(section: &mut Section<'_>, key: &'static str, config: &mut Config) {
    for (pattern, value) in section.pairs::<HeaderValue>(key) {
        config.cache_control.extend(parsed(section, &pattern).map(|pattern| (pattern, value.value)));
    }
}

/// `media_types`, by extension.
pub(super) fn media_types(section: &mut Section<'_>, key: &'static str, config: &mut Config) {
    for (extension, value) in section.pairs::<HeaderValue>(key) {
        config.media_types.insert(extension.value.trim_start_matches('.').to_ascii_lowercase(), value.value);
    }
}

/// A field of what a site answers, and for which paths.
pub(crate) type SiteField = (Pattern, HeaderName, HeaderValue);

/// `headers`, for all paths.
pub(super) fn headers(section: &mut Section<'_>, key: &'static str, to: &mut Vec<SiteField>) {
    for (name, value) in section.pairs::<HeaderValue>(key) {
        let field = field(section, &name);
        to.extend(everything().zip(field).map(|(pattern, field)| (pattern, field, value.value)));
    }
}

/// `request_headers` of an application.
pub(super) fn request_headers(section: &mut Section<'_>, key: &'static str, to: &mut ProxyEntry) {
    for (name, value) in section.pairs::<HeaderValue>(key) {
        to.config.fields.set.extend(request_field(section, &name).map(|field| (field, value.value)));
    }
}

/// `remove_request_headers` of an application.
pub(super) fn removed_from_requests(section: &mut Section<'_>, key: &'static str, to: &mut ProxyEntry) {
    for name in section.list::<String>(key).unwrap_or_default() {
        to.config.fields.remove.extend(request_field(section, &name));
    }
}

/// `remove_response_headers` of an application.
pub(super) fn removed_from_responses(section: &mut Section<'_>, key: &'static str, to: &mut ProxyEntry) {
    for name in section.list::<String>(key).unwrap_or_default() {
        to.config.fields.remove_from_responses.extend(field(section, &name));
    }
}

/// `[[site.header]]`, for some paths; `group` has its keys.
pub(super) fn header(
    section: &mut Section<'_>,
    key: &'static str,
    group: &Group<HeaderEntry>,
    to: &mut Vec<SiteField>,
) {
    for mut section in section.sections(key).unwrap_or_default() {
        if !section.has("name") || !section.has("value") {
            section.problem("needs a `name` and a `value`");
        }
        let mut entry = HeaderEntry::default();
        group.read_keys(&mut section, &mut entry);
        let pattern = match &entry.path {
            Some(path) => parsed(&section, path),
            None => everything(),
        };
        let field = entry.name.and_then(|name| field(&section, &name));
        if let (Some(pattern), Some(field), Some(value)) = (pattern, field, entry.value) {
            to.push((pattern, field, value));
        }
        section.done();
    }
}

/// Checks the name of a file, which has to be below its directory.
pub(super) fn below_directory(name: &str) -> Result<(), String> {
    let bad = |part: &str| matches!(part, "" | "." | "..");
    if name.split('/').any(bad) {
        return Err(format!("{name:?} is not the name of a file below the directory"));
    }
    Ok(())
}

fn everything() -> Option<Pattern> {
    "/**".parse().ok()
}

fn field(section: &Section<'_>, name: &At<String>) -> Option<HeaderName> {
    match name.value.parse::<HeaderName>() {
        Ok(field) if Config::reserved(&field) => {
            section.problem_at(name, "is set by the server itself: it frames the response, or says what its bytes are");
            None
        }
        Ok(field) => Some(field),
        Err(_) => {
            section.problem_at(name, format!("{:?} is not the name of a header field", name.value));
            None
        }
    }
}

/// The name of a field of requests that an operator may decide about.
fn request_field(section: &Section<'_>, name: &At<String>) -> Option<HeaderName> {
    if name.value.eq_ignore_ascii_case("host") {
        section.problem_at(name, "is what the setting `host` of the site's proxy is for");
        return None;
    }
    field(section, name)
}

fn parsed(section: &Section<'_>, pattern: &At<String>) -> Option<Pattern> {
    match pattern.value.parse() {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            section.problem_at(pattern, format!("{:?} is no pattern of paths: {error}", pattern.value));
            None
        }
    }
}

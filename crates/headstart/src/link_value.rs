//! The links of a `Link` field (RFC 8288, section 3), as they are written.

/// One link: its target and the text of its parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkValue<'a> {
    pub(crate) target: &'a str,
    pub(crate) params: &'a str,
}

impl<'a> LinkValue<'a> {
    fn params(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        split_outside_quotes(self.params, ';').map(str::trim).filter(|param| !param.is_empty()).map(|param| match param
            .split_once('=')
        {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (param, None),
        })
    }

    /// The first parameter of that name (RFC 8288, section 3.3, for `rel`); a value that is absent is empty.
    pub(crate) fn param(self, name: &str) -> Option<&'a str> {
        self.params().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or_default())
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.param(name).is_some()
    }
}

/// Splits a field value into links: at commas outside of `<...>` and quotes.
pub(crate) struct LinkValues<'a> {
    rest: &'a str,
}

impl<'a> LinkValues<'a> {
    pub(crate) fn new(field: &'a str) -> Self {
        LinkValues { rest: field }
    }
}

impl<'a> Iterator for LinkValues<'a> {
    type Item = LinkValue<'a>;

    fn next(&mut self) -> Option<LinkValue<'a>> {
        loop {
            let start = self.rest.find('<')? + 1;
            let after = self.rest.get(start..)?;
            let end = after.find('>')?;
            let target = after.get(..end)?.trim();
            let tail = after.get(end + 1..)?;
            let params = split_outside_quotes(tail, ',').next().unwrap_or_default();
            self.rest = tail.get(params.len()..).unwrap_or_default();
            // Between the target and its parameters stands a semicolon, or nothing at all.
            if params.trim_start().starts_with(';') || params.trim().is_empty() {
                return Some(LinkValue { target, params });
            }
        }
    }
}

/// Splits at a separator, not inside quoted strings, in which a backslash escapes.
pub(crate) fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |char| {
        if escaped {
            escaped = false;
        } else if quoted {
            escaped = char == '\\';
            quoted = char != '"';
        } else {
            quoted = char == '"';
            return char == separator;
        }
        false
    })
}

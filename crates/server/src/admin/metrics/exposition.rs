//! The two formats that scrapers ask for.

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Exposition {
    /// OpenMetrics 1.0, for those who ask for it by name.
    OpenMetrics,
    /// Prometheus 0.0.4, for everybody else.
    Prometheus,
}

impl Exposition {
    /// By the `Accept` of the request.
    pub(in crate::admin) fn wanted(accept: Option<&str>) -> Self {
        let ranges = accept.unwrap_or_default().split(',');
        let open = ranges.map(str::trim_start).any(|range| {
            let (media, parameters) = range.split_once(';').unwrap_or((range, ""));
            let refused = parameters.split(';').any(|parameter| matches!(parameter.trim(), "q=0" | "q=0.0" | "q=0.00"));
            media.trim().eq_ignore_ascii_case("application/openmetrics-text") && !refused
        });
        if open { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(in crate::admin) fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Turns OpenMetrics into this format. The samples are the same; the older format describes a counter under the name
    /// of its sample, and has neither units nor an end.
    pub(super) fn finish(self, text: String) -> String {
        if self == Self::OpenMetrics {
            return text;
        }
        let mut counters = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter")) {
                counters.push(name);
            }
        }
        let mut older = String::with_capacity(text.len() + 1024);
        for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
            match line.strip_prefix("# ").and_then(|rest| {
                let (what, rest) = rest.split_once(' ')?;
                let (name, rest) = rest.split_once(' ')?;
                counters.contains(&name).then_some((what, name, rest))
            }) {
                Some((what, name, rest)) => older.extend(["# ", what, " ", name, "_total ", rest, "\n"]),
                None => older.extend([line, "\n"]),
            }
        }
        older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_name_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert_eq!(Exposition::wanted(Some(prometheus)), Exposition::OpenMetrics);
        assert_eq!(Exposition::wanted(Some("text/plain, application/openmetrics-text; q=0")), Exposition::Prometheus);
        assert_eq!(Exposition::wanted(Some("*/*")), Exposition::Prometheus);
        assert_eq!(Exposition::wanted(None), Exposition::Prometheus);
    }

    #[test]
    fn the_older_format_describes_counters_by_their_samples() {
        let text = "# HELP a_b Help.\n# TYPE a_b counter\na_b_total{x=\"# TYPE\"} 1\n# HELP g Of a_b.\n# TYPE g gauge\n\
                    # UNIT g bytes\ng 2\n# EOF\n";
        let older = "# HELP a_b_total Help.\n# TYPE a_b_total counter\na_b_total{x=\"# TYPE\"} 1\n# HELP g Of a_b.\n\
                     # TYPE g gauge\ng 2\n";
        assert_eq!(Exposition::Prometheus.finish(text.to_owned()), older);
        assert_eq!(Exposition::OpenMetrics.finish(text.to_owned()), text);
    }
}

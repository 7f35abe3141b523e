//! Figures in documents are those of the report that is kept in `benches/report`.
//!
//! A figure is followed by a comment that says where it comes from: `1.9 <!-- figure: AREA / ROW / FIELD -->`. ROW is
//! the row's `name`, with `[PEER]` after it where several rows share one.

use super::{Finding, Source};
use serde_json::Value;

const REPORT: &str = "benches/report/report.json";
const MARK: &str = "<!-- figure: ";

pub(super) fn check(sources: &[Source], report: Option<&str>) -> Vec<Finding> {
    let report = report.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let documents = sources.iter().filter(|source| source.is("md"));
    documents.flat_map(|source| check_one(source, report.as_ref())).collect()
}

/// The kept report, if there is one.
pub(super) fn read_report(root: &std::path::Path) -> Option<String> {
    std::fs::read_to_string(root.join(REPORT)).ok()
}

fn check_one(source: &Source, report: Option<&Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        for (at, _) in line.match_indices(MARK) {
            let place = format!("{}:{number}", source.path);
            if let Err(what) = check_figure(&line[..at], &line[at + MARK.len()..], report) {
                findings.push(Finding::new(place, what));
            }
        }
    }
    findings
}

fn check_figure(before: &str, after: &str, report: Option<&Value>) -> Result<(), String> {
    let written = before.trim_end().rsplit([' ', '|', '(']).next().unwrap_or_default().trim_matches(['*', '`']);
    let digits: String = written.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let stated: f64 = digits.parse().map_err(|_| format!("`{written}` is no figure"))?;
    let key = after.split_once(" -->").ok_or("the comment of a figure has no end")?.0;
    let [area, row, field] = key.split(" / ").collect::<Vec<_>>()[..] else {
        return Err(format!("`{key}` is not AREA / ROW / FIELD"));
    };
    let report = report.ok_or(format!("there is no {REPORT} to compare figures with"))?;
    let measured = find(report, area, row).ok_or(format!("{REPORT} has no row `{area} / {row}`"))?;
    let measured = measured[field].as_f64().ok_or(format!("row `{area} / {row}` has no number `{field}`"))?;
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let rounded = format!("{measured:.decimals$}");
    if rounded.parse() == Ok(stated) { Ok(()) } else { Err(format!("`{written}` was measured as {rounded}")) }
}

fn find<'a>(report: &'a Value, area: &str, row: &str) -> Option<&'a Value> {
    let (name, peer) = match row.strip_suffix(']').and_then(|row| row.split_once(" [")) {
        Some((name, peer)) => (name, Some(peer)),
        None => (row, None),
    };
    let areas = report["areas"].as_array()?;
    let rows = areas.iter().find(|found| found["area"] == area)?["rows"].as_array()?;
    rows.iter().find(|row| row["name"] == name && peer.is_none_or(|peer| row["peer_name"] == peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(line: &str, finding: Option<&str>) {
        let report = r#"{"areas": [{"area": "static", "rows": [
            {"name": "page, 10 KB", "peer_name": "nginx", "ratio": 1.26, "ours": 52341.2},
            {"name": "page, 10 KB", "peer_name": "axum", "ratio": 5.5}]}]}"#;
        let source = Source { path: "a.md".to_owned(), text: line.to_owned() };
        let found = check(&[source], Some(report));
        assert_eq!(found.len(), usize::from(finding.is_some()), "{line}: {found:?}");
        if let (Some(found), Some(finding)) = (found.first(), finding) {
            assert!(found.to_string().contains(finding), "{found}");
        }
    }

    #[test]
    fn figures_are_those_of_the_report() {
        check_line("no figure 1.3", None);
        check_line("| **1.3** <!-- figure: static / page, 10 KB / ratio --> times", None);
        check_line("1.26x <!-- figure: static / page, 10 KB [nginx] / ratio -->", None);
        check_line("5.5 <!-- figure: static / page, 10 KB [axum] / ratio -->", None);
        check_line("52,341 <!-- figure: static / page, 10 KB / ours -->", None);
        check_line("1.4 <!-- figure: static / page, 10 KB / ratio -->", Some("measured as 1.3"));
        check_line("many <!-- figure: static / page, 10 KB / ratio -->", Some("no figure"));
        check_line("1 <!-- figure: static / other / ratio -->", Some("no row"));
        check_line("1 <!-- figure: static / page, 10 KB / peer -->", Some("no number"));
        check_line("1 <!-- figure: static -->", Some("AREA / ROW / FIELD"));
    }

    #[test]
    fn without_a_report_no_figure_holds() {
        let source = Source { path: "a.md".to_owned(), text: "1 <!-- figure: a / b / c -->".to_owned() };
        assert_eq!(check(&[source], None).len(), 1);
    }
}

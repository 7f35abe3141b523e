//! One JSON object a line in, one a line out.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Verb;
use super::format::{Format, Parameters};

/// Answers every line, whatever the lines before it were.
pub(super) fn answer_lines(
    verb: Verb,
    flags: &Parameters,
    input: impl BufRead,
    output: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for line in input.split(b'\n') {
        let line = line.context("cannot read standard input")?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match Request::parse(&line, flags) {
            Ok(request) => request.answer(verb).unwrap_or_else(|error| json!({ "error": format!("{error:#}") })),
            Err(error) => {
                code = ExitCode::from(crate::BAD_INPUT);
                json!({ "error": format!("{error:#}") })
            }
        };
        writeln!(output, "{answer}")?;
    }
    Ok(code)
}

struct Request {
    format: Format,
    keys: Vec<Vec<u8>>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    keys: Vec<String>,
    value: Option<String>,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

impl Request {
    fn parse(line: &[u8], flags: &Parameters) -> anyhow::Result<Self> {
        let line: Line = serde_json::from_slice(line)?;
        let parameters: Parameters = serde_json::from_value(Value::Object(line.parameters))?;
        let format = Format::new(&parameters.or(flags))?;
        let keys = line.keys.iter().map(|key| format.key(key.as_bytes()).with_context(|| format!("key {key:?}")));
        Ok(Self { keys: keys.collect::<Result<_, _>>()?, value: line.value, format })
    }

    fn answer(&self, verb: Verb) -> anyhow::Result<Value> {
        let value = || self.value.as_deref().context("`value` is missing");
        Ok(match verb {
            Verb::Check => json!({ "held": self.format.check(value()?, &self.keys)? }),
            Verb::Decode => json!({ "values": self.format.decode(value()?)? }),
            Verb::Encode => json!({ "value": self.format.encode(&self.keys)? }),
        })
    }
}

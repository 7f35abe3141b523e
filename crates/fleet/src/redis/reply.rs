//! Replies of an engine, which may be anything.

use redis::Value;

/// A text; `None` for anything else.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

/// The number of an entry of a stream.
pub(super) fn stream_id(id: &str) -> Option<(u64, u64)> {
    let (millis, sequence) = id.split_once('-')?;
    Some((millis.parse().ok()?, sequence.parse().ok()?))
}

/// The entries of the one stream that was read, each with its number; `None` for one that is not of this program.
pub(super) fn streams(value: &Value) -> Vec<(String, Option<Vec<u8>>)> {
    match value {
        Value::Array(streams) => match streams.first() {
            Some(Value::Array(stream)) => stream.get(1).map(entries).unwrap_or_default(),
            _ => Vec::new(),
        },
        Value::Map(streams) => streams.first().map(|(_, stream)| entries(stream)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Entries of a stream, each with its number.
pub(super) fn entries(value: &Value) -> Vec<(String, Option<Vec<u8>>)> {
    let Value::Array(list) = value else { return Vec::new() };
    let entry = |entry: &Value| {
        let Value::Array(parts) = entry else { return None };
        let (id, fields) = (text(parts.first()?)?, parts.get(1));
        let field = match fields {
            Some(Value::Array(fields)) => match (fields.first(), fields.get(1)) {
                (Some(Value::BulkString(name)), Some(Value::BulkString(bytes))) if name == b"e" => Some(bytes.clone()),
                // Something else was put there; it is refused and counted as garbage.
                _ => Some(Vec::new()),
            },
            _ => None,
        };
        Some((id, field))
    };
    list.iter().filter_map(entry).collect()
}

/// The values of a hash.
pub(super) fn pairs(value: &Value) -> Vec<Vec<u8>> {
    let bytes = |value: &Value| match value {
        Value::BulkString(bytes) => Some(bytes.clone()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().skip(1).step_by(2).filter_map(bytes).collect(),
        Value::Map(pairs) => pairs.iter().filter_map(|(_, value)| bytes(value)).collect(),
        _ => Vec::new(),
    }
}

//! The reader of access logs.

#[path = "../../../crates/server/src/access_log/json.rs"]
mod json;
#[path = "../../../crates/server/src/access_log/line.rs"]
mod line;
#[path = "../../../crates/server/src/access_log/prefix.rs"]
mod prefix;
#[path = "../../../crates/server/src/access_log/reader.rs"]
mod reader;
#[path = "../../../crates/server/src/access_log/text.rs"]
mod text;
#[path = "../../../crates/server/src/access_log/time.rs"]
mod time;
#[path = "../../../crates/server/src/access_log/w3c.rs"]
mod w3c;

pub(crate) use line::Parsed;
pub(crate) use reader::{Format, Reader};

//! Access logs of this program and of others.

mod file;
mod json;
mod line;
mod prefix;
mod reader;
mod text;
mod time;
mod w3c;

pub(crate) use self::file::for_each_line;
pub(crate) use self::line::{Lacking, Line, Parsed};
pub(crate) use self::reader::{Format, Reader};
pub(crate) use self::time::date;

#[cfg(test)]
mod tests;

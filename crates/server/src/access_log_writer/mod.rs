//! The access log that is written; [`access_log`](crate::access_log) reads those of others.
//!
//! A finished exchange is put into a queue, which costs a lock and no copy of its texts; a thread of its own makes lines
//! and writes them. A disk that does not keep up costs lines, never responses: see [`AccessLog::lost`].

mod format;
mod queue;
mod sink;
mod timestamp;
mod writer;

pub(crate) use self::format::Format;
pub(crate) use self::sink::Target;
pub(crate) use self::writer::AccessLog;

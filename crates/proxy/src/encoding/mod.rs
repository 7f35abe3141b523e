//! Compression of what an upstream sends as plain text: between the upstream and the cache, which so keeps the coded form.
//!
//! * [`choose`] decides by the heads of request and response, and makes the response's head that of the coded form.
//! * [`secrets`] leaves out what could be read by watching lengths (BREACH).
//! * [`Budget`] bounds the memory of all encoders; what does not fit goes out as it is.
//! * [`Recoder`] encodes the body as it comes.

mod budget;
mod choose;
mod recoder;
mod secrets;

pub(crate) use self::budget::Budget;
pub(crate) use self::choose::{choose, name_plain_form};
pub(crate) use self::recoder::Recoder;

//! Reading what pages say, beside the path of the request.
//!
//! A copy of a page's body is kept while it is sent, where the page is new, has changed or is due for a look. The driver
//! gets each part at once, whatever becomes of the copy. When the body has ended a blocking task of the runtime decodes and
//! reads it, one at a time, within a budget of time; a queue that is full drops what comes.

mod copied_body;
mod copying;
mod decode;
mod desk;

pub(crate) use copying::{Copying, Ticket};
pub(crate) use desk::Desk;
pub use desk::ReadingStats;

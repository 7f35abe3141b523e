//! Parts of the program that stand alone, as it has them: a program has no library to ask.

#[path = "../../../crates/server/src/printable.rs"]
pub(crate) mod printable;
#[path = "../../../crates/server/src/routes.rs"]
pub(crate) mod routes;

pub(crate) mod access_log;

//! The ledger of the program, as it has it: a program has no library to ask.
#![allow(dead_code, unused_imports, reason = "the program uses more of it")]

#[path = "../../../crates/server/src/admin/ledger/mod.rs"]
pub(crate) mod ledger;
#[path = "../../../crates/server/src/admin/median.rs"]
pub(crate) mod median;

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod attempt;
mod connection;
mod diary;
mod early_hints;
mod file_content;
mod outcome;
mod policy;
mod priority;
mod promise;
mod shares;

pub use crate::attempt::{Attempt, Refusal};
pub use crate::connection::{ClientAddress, OverTls, Peer};
pub use crate::diary::{Diary, DiaryEntry};
pub use crate::early_hints::{EarlyHints, EarlyHintsSender};
pub use crate::file_content::{FileContent, FileHeads};
pub use crate::outcome::{CancelCode, Outcome};
pub use crate::policy::{Client, Opening, Policy, Pushes};
pub use crate::priority::{Priority, PriorityParameters};
pub use crate::promise::{Promise, Pushed};
pub use crate::shares::{Share, Shares, Waiting};

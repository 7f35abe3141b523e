//! Runs each example and looks at what it does.

mod applications;
mod deployment;
mod kit;
mod listing;
mod parts;

//! Times on the command line of commands that do not serve, written as in the configuration file.

use std::time::Duration;

use crate::config::tree::Node;
use crate::config::values::Wanted;

/// Reads a time of at least `LEAST` and at most `MOST` seconds.
///
/// # Errors
///
/// The error says what is wrong with it.
pub(crate) fn within<const LEAST: u64, const MOST: u64>(text: &str) -> Result<Duration, String> {
    let time =
        Duration::read(&Node::loose("", text)).map_err(|why| why.unwrap_or(format!("has to be {}", Duration::WHAT)))?;
    let (least, most) = (Duration::from_secs(LEAST), Duration::from_secs(MOST));
    if (least..=most).contains(&time) {
        return Ok(time);
    }
    Err(format!("{} is out of range: {} to {}", time.show(), least.show(), most.show()))
}

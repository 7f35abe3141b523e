//! The fleet of the settings.

use std::path::PathBuf;

use headstart::fleet::{Fleet, Keys, exchange_at};

use crate::config::{Problem, Settings};

/// The fleet that settings name; `None` if they name none. Nothing is opened but the key file.
///
/// # Errors
///
/// The errors name what cannot be used, with its place.
pub(crate) fn open(settings: &Settings) -> Result<Option<Fleet>, Vec<Problem>> {
    let config = &settings.fleet;
    let (Some(url), Some(key_file)) = (&config.url, &config.key_file) else { return Ok(None) };
    let keys = Keys::read(&key_file.value).map_err(|error| Problem::at(key_file, format!("cannot be used: {error}")));
    let exchange =
        exchange_at(&url.value, &config.group).map_err(|error| Problem::at(url, format!("cannot be used: {error}")));
    let (keys, exchange) = match (keys, exchange) {
        (Ok(keys), Ok(exchange)) => (keys, exchange),
        (keys, exchange) => return Err(keys.err().into_iter().chain(exchange.err()).collect()),
    };
    let name = config.name.clone().unwrap_or_else(machine);
    let fleet = Fleet::with(exchange, keys, name)
        .map_err(|error| vec![Problem::at(url, format!("{error}: `name` of [fleet] gives it another"))])?;
    let fleet = fleet
        .publish(config.publish)
        .read_budget(config.read_budget)
        .memory(config.memory)
        .max_weight(config.weight)
        .fact("version", env!("CARGO_PKG_VERSION"));
    Ok(Some(fleet))
}

/// The name of this machine.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(PathBuf::from(path)).ok();
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname")).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "server".to_owned() } else { name.chars().take(64).collect() }
}

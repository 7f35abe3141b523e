//! The address of a fleet, as an operator writes it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::directory::Directory;
use crate::exchange::Exchange;
use crate::fleet::FleetError;
use crate::url::EngineUrl;

/// The exchange at a URL: `file:///directory`, and with the feature `redis` `redis://`, `rediss://` (TLS), the same with
/// several hosts (a cluster) and `redis+sentinel://host,host/master`; `valkey` stands for `redis` as well. `group` tells
/// fleets that share an engine apart.
///
/// # Errors
///
/// Says what is wrong with the URL, without its password; or which feature it needs.
pub fn exchange_at(url: &str, group: &str) -> Result<Arc<dyn Exchange>, FleetError> {
    if !crate::entry::is_name(group.as_bytes()) {
        return Err(FleetError::new("the name of a fleet is 1 to 64 letters, digits, `-`, `_` and `.`"));
    }
    if let Some(path) = url.strip_prefix("file:") {
        let path = path.strip_prefix("//localhost").or_else(|| path.strip_prefix("//")).unwrap_or(path);
        if !path.starts_with('/') {
            return Err(FleetError::new("a `file:` URL has an absolute path: file:///var/lib/headstart/fleet"));
        }
        return Ok(Arc::new(Directory::new(PathBuf::from(path).join(group))));
    }
    let engine = EngineUrl::parse(url)?;
    open(engine, group)
}

#[cfg(feature = "redis")]
fn open(url: EngineUrl, group: &str) -> Result<Arc<dyn Exchange>, FleetError> {
    Ok(Arc::new(crate::redis::Redis::new(url, group)?))
}

#[cfg(not(feature = "redis"))]
fn open(_: EngineUrl, _: &str) -> Result<Arc<dyn Exchange>, FleetError> {
    Err(FleetError::new("Redis and Valkey need the feature `redis`, which this program was built without"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, problem) in [
            ("localhost", "it is a URL"),
            ("http://localhost", "its scheme is none of"),
            ("redis://", "a host is missing"),
            ("redis://:hunter2@host:port", "a port is no number"),
            ("redis://host/main", "the number of a database"),
            ("redis://a,b/1", "one database only"),
            ("redis+sentinel://:hunter2@a", "the master"),
            ("redis://:hunter2%@a", "two hex digits"),
            ("file:relative", "an absolute path"),
        ] {
            let error = exchange_at(url, "g").unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("hunter2"), "{url}: {error}");
        }
        assert!(exchange_at("file:///srv/x", "a/b").is_err());
        assert_eq!(exchange_at("file:///srv/x", "shop").unwrap().place(), "/srv/x/shop");
    }
}

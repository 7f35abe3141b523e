//! Rows of `[fleet]`.

use std::time::Duration;

use crate::config::fleet::Fleet;
use crate::config::setting::Group;
use crate::config::size::Size;

pub(in crate::config) fn fleet() -> Group<Fleet> {
    Group::<Fleet>::new("fleet")
        .value("url", |to| &mut to.url)
        .help("where servers that learn as one meet: redis://, rediss://, redis+sentinel:// or file://")
        .otherwise("no fleet")
        .sample("\"redis://redis.internal:6379\"")
        .value("key_file", |to| &mut to.key_file)
        .help("key of the fleet, the same on all of its servers; `headstart fleet key new FILE` makes one")
        .sample("\"fleet.key\"")
        .checked("group", |name: &String| named(name), |to| &mut to.group)
        .help("tells fleets apart that meet at one place")
        .checked("name", |name: &String| named(name), |to| &mut to.name)
        .help("tells this server apart from the others of its fleet")
        .otherwise("the name of the machine")
        .sample("\"web-1\"")
        .within("publish", Duration::from_secs(1)..=Duration::from_secs(600), |to| &mut to.publish)
        .help("how long what was learned waits at most to be told to the others")
        .size("read_budget", Size::kib(1)..=Size::mib(64), |to| &mut to.read_budget)
        .help("bytes a second that are read of the others; where they have more to tell, visits stand for others")
        .size("memory", Size::kib(64)..=Size::mib(1024), |to| &mut to.memory)
        .help("bytes for what waits to be told, while the others cannot be reached")
        .within("weight", 1..=4096, |to| &mut to.weight)
        .help("visits that one visit of another server may stand for; it bounds what a server that lies can plant")
}

fn named(name: &str) -> Result<(), String> {
    let allowed = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if allowed && (1..=64).contains(&name.len()) && !name.starts_with('.') {
        Ok(())
    } else {
        Err(format!("{name:?} is not of 1 to 64 letters, digits, `-`, `_` and `.`"))
    }
}

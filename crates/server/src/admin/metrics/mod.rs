//! `/metrics`: the counters of every part, in the text format of Prometheus or as OpenMetrics.
//!
//! Everything is read when it is asked for; nothing is counted twice. No label holds a path: their number would have no
//! bound, and what has not passed the network gate must not show.

mod engine;
mod exposition;
mod families;
mod fleet;
mod gain;
mod process;
mod server;
mod upstreams;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

pub(super) use self::exposition::Exposition;
use self::families::Families;
use super::sources::Sources;

/// All metrics as text.
pub(super) fn text(sources: &Sources, exposition: Exposition) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(All(sources.clone())));
    let mut text = String::with_capacity(16 << 10);
    // Writing to a string does not fail.
    let _ = text::encode(&mut text, &registry);
    exposition.finish(text)
}

#[derive(Debug)]
struct All(Sources);

impl Collector for All {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut families = Families::new(encoder);
        server::write(&self.0, &mut families)?;
        engine::write(&self.0, &mut families)?;
        upstreams::write(&self.0, &mut families)?;
        fleet::write(&self.0, &mut families)?;
        gain::write(&self.0, &mut families)?;
        process::write(&self.0, &mut families)
    }
}

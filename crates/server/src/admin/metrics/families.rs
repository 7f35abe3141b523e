//! Metrics, a family at a time.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;

use crate::traffic::HistogramReading;

/// Labels of one metric.
pub(super) type Labels<'a> = Vec<(&'a str, &'a str)>;

/// No labels.
pub(super) const PLAIN: Labels<'static> = Vec::new();

/// Writes families. Names are without prefix, and without the `_total` of counters.
pub(super) struct Families<'a>(DescriptorEncoder<'a>);

impl<'a> Families<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.counters(name, help, [(PLAIN, value)])
    }

    pub(super) fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l>, u64)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Counter, values, |encoder, value| {
            encoder.encode_counter::<Labels<'_>, _, f64>(value, None)
        })
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.gauges(name, help, [(PLAIN, value)])
    }

    pub(super) fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l>, f64)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Gauge, values, |encoder, value| {
            // A block, for a path is a function of one lifetime only.
            encoder.encode_gauge::<f64>(value)
        })
    }

    pub(super) fn histograms<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l>, HistogramReading)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Histogram, values, |encoder, value| {
            encoder.encode_histogram::<Labels<'_>>(value.sum, value.count, &value.buckets, None)
        })
    }

    fn family<'l, V>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        values: impl IntoIterator<Item = (Labels<'l>, V)>,
        write: impl Fn(&mut MetricEncoder<'_>, &V) -> fmt::Result,
    ) -> fmt::Result {
        let name = if name.starts_with("process_") { name.to_owned() } else { format!("headstart_{name}") };
        let mut encoder = self.0.encode_descriptor(&name, help, None, kind)?;
        for (labels, value) in values {
            if labels.is_empty() {
                write(&mut encoder, &value)?;
            } else {
                write(&mut encoder.encode_family(&labels)?, &value)?;
            }
        }
        Ok(())
    }
}

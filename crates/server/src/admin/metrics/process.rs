//! Metrics of the process, under the names that Prometheus clients agree on.

use std::fmt;
use std::time::UNIX_EPOCH;

use super::super::sources::Sources;
use super::families::Families;

pub(super) fn write(sources: &Sources, families: &mut Families<'_>) -> fmt::Result {
    families.gauges(
        "build_info",
        "Always 1; the version is in the label.",
        [(vec![("version", env!("CARGO_PKG_VERSION"))], 1.0)],
    )?;
    let started = sources.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    families.gauge("process_start_time_seconds", "When the process started, Unix time.", started.as_secs_f64())?;
    if let Some(bytes) = resident_bytes() {
        families.gauge("process_resident_memory_bytes", "Resident memory of the process.", bytes as f64)?;
    }
    if let Some(count) = open_files() {
        families.gauge("process_open_fds", "Open file descriptors of the process.", count as f64)?;
    }
    Ok(())
}

/// From `/proc`, where there is one.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

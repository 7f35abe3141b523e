//! The cost of a server, read from `/proc`: a process together with its children, for many servers are several.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// Processor time, user and system, that a process and its living descendants have used since they began.
///
/// The kernel counts in ticks of 10 ms; measure over a second or more.
pub fn cpu_time(pid: u32) -> Duration {
    let ticks: u64 = family(pid).iter().filter_map(|pid| Stat::read(*pid)).map(|stat| stat.ticks).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Proportional set size of a process and its descendants in bytes: pages that several share are shared out among
/// them, so that the sum counts each page once.
pub fn pss_bytes(pid: u32) -> u64 {
    let kilobytes = |pid: &u32| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.split_whitespace().next()?.parse().ok()
    };
    family(pid).iter().filter_map(kilobytes).sum::<u64>() * 1024
}

/// Anonymous resident memory (RssAnon of proc(5)) of one process, bytes.
pub fn anonymous_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// A process and its descendants as they are now.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, stat) in pids.filter_map(|pid| Some((pid, Stat::read(pid)?))) {
        children.entry(stat.parent).or_default().push(pid);
    }
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(member) = family.get(next) {
        let own = children.remove(member).unwrap_or_default();
        family.extend(own);
        next += 1;
    }
    family
}

struct Stat {
    parent: u32,
    ticks: u64,
}

impl Stat {
    /// The fields of `/proc/PID/stat` (proc(5)); the name, which may hold anything, ends at the last parenthesis.
    fn read(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self { parent: u32::try_from(number(1)?).ok()?, ticks: number(11)? + number(12)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_and_its_cost() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own = std::process::id();
        assert!(family(own).contains(&child.id()));
        assert!(pss_bytes(own) > 100_000);
        let before = cpu_time(own);
        let mut n = 1_u64;
        while cpu_time(own) < before + Duration::from_millis(30) {
            n = std::hint::black_box(n.wrapping_mul(31));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!family(own).contains(&child.id()));
    }
}

//! A network namespace with one end of the link in it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tun_rs::{DeviceBuilder, SyncDevice};

/// The name of the device in each namespace.
const DEVICE: &str = "hs0";
/// The parameter that names the congestion control of new connections.
const CONGESTION_CONTROL: &str = "net.ipv4.tcp_congestion_control";
/// The congestion controls that a namespace may choose from, which is of the whole machine.
const ALLOWED: &str = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";
/// Namespaces of this program are named after it and its process, so that those of a run that was killed are known.
const PREFIX: &str = "headstart-";

/// A named namespace; removed when dropped.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace whose loopback device is up. Needs root.
    pub(crate) fn new(lane: usize, end: &str) -> io::Result<Self> {
        let name = format!("{PREFIX}{}-{lane}-{end}", std::process::id());
        ip(&["netns", "add", &name])?;
        let namespace = Self { name };
        ip(&["-n", &namespace.name, "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// Makes the device, gives it an address in a /24 and sets it up.
    pub(crate) fn device(&self, address: &str) -> io::Result<SyncDevice> {
        let name = self.name.clone();
        let make = move || {
            enter(&name)?;
            // Packets as they are: nothing joined, nothing split, 1,500 bytes at most.
            DeviceBuilder::new().name(DEVICE).mtu(1500).offload(false).build_sync()
        };
        let device = std::thread::spawn(make).join().map_err(|_| io::Error::other("making the device panicked"))??;
        ip(&["-n", &self.name, "addr", "add", &format!("{address}/24"), "dev", DEVICE])?;
        ip(&["-n", &self.name, "link", "set", DEVICE, "mtu", "1500", "up"])?;
        // Each connection starts from nothing: the kernel does not carry a window over from the one before.
        self.set("net.ipv4.tcp_no_metrics_save", "1")?;
        Ok(device)
    }

    /// Sets a parameter of its kernel.
    pub(crate) fn set(&self, parameter: &str, value: &str) -> io::Result<()> {
        let assignment = format!("{parameter}={value}");
        let status = Command::new("ip").args(["netns", "exec", &self.name, "sysctl", "-qw", &assignment]).status()?;
        status.success().then_some(()).ok_or_else(|| io::Error::other(format!("sysctl {assignment} failed")))
    }

    /// Has new connections use this congestion control. Adds it to what the machine allows, where it is not.
    pub(crate) fn set_congestion_control(&self, name: &str) -> io::Result<()> {
        let allowed = fs::read_to_string(ALLOWED).unwrap_or_default();
        if !allowed.split_whitespace().any(|one| one == name) {
            fs::write(ALLOWED, format!("{} {name}", allowed.trim()))?;
        }
        self.set(CONGESTION_CONTROL, name)
    }

    /// The name of the congestion control of new connections.
    pub(crate) fn congestion_control(&self) -> io::Result<String> {
        let output =
            Command::new("ip").args(["netns", "exec", &self.name, "sysctl", "-n", CONGESTION_CONTROL]).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Removes the device, which ends the reads that wait on it.
    pub(crate) fn cut(&self) {
        // The device may be gone; there is nobody to tell.
        let _ = ip(&["-n", &self.name, "link", "delete", DEVICE]);
    }

    /// Moves the calling thread into the namespace, for good.
    pub(crate) fn enter(&self) -> io::Result<()> {
        enter(&self.name)
    }

    /// The prefix of a command that runs it in the namespace and ends it with the thread that starts it.
    pub(crate) fn prefix(&self) -> Vec<String> {
        let mut words: Vec<String> = ["ip", "netns", "exec", &self.name].map(String::from).into();
        words.extend(super::mortal());
        words
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

/// Removes what runs that were killed have left: namespaces and what runs in them.
pub(crate) fn sweep() {
    let Ok(names) = std::fs::read_dir("/run/netns") else { return };
    for name in names.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !std::path::Path::new("/proc").join(process).exists()) {
            let left = Command::new("ip").args(["netns", "pids", &name]).output();
            let left = left.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            for pid in left.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            let _ = ip(&["netns", "delete", &name]);
        }
    }
}

fn enter(name: &str) -> io::Result<()> {
    let namespace = File::open(format!("/run/netns/{name}"))?;
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Runs `ip`; what it complains of is the error.
fn ip(arguments: &[&str]) -> io::Result<()> {
    let child: Child = Command::new("ip").args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| io::Error::other(format!("ip {}: {}", arguments.join(" "), said.trim())))
}

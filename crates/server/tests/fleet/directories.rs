//! A fleet that meets in a directory, on a file system of its own that can be full and read-only. Mounting one takes root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faults::through;

/// A file system in memory. Unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(at: &Path) -> Self {
        mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], at);
        Mounted(at.to_owned())
    }

    fn remount(&self, option: &str) {
        mount(&["-o", &format!("remount,{option}")], &self.0);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(words: &[&str], at: &Path) {
    let status = Command::new("mount").args(words).arg(at).status().expect("mount runs");
    assert!(status.success(), "a file system of its own takes root");
}

pub(crate) async fn read_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let mounted = Mounted::new(directory.path());
    let url = format!("file://{}", directory.path().display());
    through("read-only", &url, || mounted.remount("ro"), || mounted.remount("rw")).await;
}

pub(crate) async fn full() {
    let directory = tempfile::tempdir().expect("a directory");
    let _mounted = Mounted::new(directory.path());
    let ballast = directory.path().join("ballast");
    let fill = || {
        // As much as there is room for.
        let _ = fs::write(&ballast, vec![1; 2 << 20]);
    };
    let empty = || fs::remove_file(&ballast).expect("a file");
    through("full", &format!("file://{}", directory.path().display()), fill, empty).await;
}

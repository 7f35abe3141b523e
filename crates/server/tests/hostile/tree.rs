//! A directory to serve, and what lies around it.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The word that no client may ever see.
pub(crate) const CANARY: &str = "c4n4ry-c4n4ry";

pub(crate) struct Tree {
    directory: TempDir,
    _socket: UnixListener,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("root");
        for name in ["sub/deep", ".git", ".well-known/.hidden", "....", "root", "etc"] {
            fs::create_dir_all(root.join(name)).expect("a directory");
        }
        fs::create_dir_all(directory.path().join("root-beside")).expect("a directory");
        let write = |name: &str, text: &str| fs::write(root.join(name), text).expect("a file");
        write("index.html", "<!doctype html>front page");
        write("sub/index.html", "<!doctype html>sub page");
        write("404.html", "nothing here");
        write("plain.txt", &"plain ".repeat(1000));
        write("sub/style.css", "body{}");
        write(".well-known/open.txt", "open");
        for hidden in [
            "../canary.txt",
            "../canary",
            "../index.html",
            "../root-beside/canary.txt",
            ".env",
            ".htpasswd",
            ".git/config",
            ".well-known/.hidden/canary.txt",
            "..../canary.txt",
            ".canary.txt",
            "...",
            "sub/.secret",
        ] {
            write(hidden, CANARY);
        }
        let link = |target: &str, name: &str| symlink(target, root.join(name)).expect("a link");
        link("plain.txt", "in");
        link("../canary.txt", "out");
        link("../../canary.txt", "sub/out");
        link("..", "up");
        link("../root-beside", "beside");
        link(&directory.path().join("canary.txt").display().to_string(), "absolute");
        link("/", "top");
        link("/proc/self", "proc");
        link("/dev/zero", "zero");
        link("/dev/stdin", "stdin");
        link("out", "twice");
        link("loop", "loop");
        link("nowhere", "dangling");
        link("../canary.txt", "plain.txt.br");
        link("../canary.txt", "sub/style.css.gz");
        let made = Command::new("mkfifo").arg(root.join("pipe")).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo works");
        let socket = UnixListener::bind(root.join("socket")).expect("a socket");
        Self { directory, _socket: socket }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }
}

//! Files as they are written while they are sent, what editors leave behind, and descriptors.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::{Program, http1};

use super::rig::Server;

const SITE: &str = "[[site]]\nroot = \"@dir@/site\"\n";

fn serve(write: impl FnOnce(&std::path::Path)) -> Server {
    let files = tempfile::tempdir().expect("a directory");
    let root = files.path().join("site");
    std::fs::create_dir(&root).expect("a directory");
    std::fs::write(root.join("index.html"), "<!doctype html>").expect("a file");
    write(&root);
    Server::start_in(files, SITE)
}

#[test]
fn a_file_that_is_written_while_it_is_sent_is_not_whole_under_one_tag() {
    const BYTES: usize = 24 << 20;
    let server = serve(|root| std::fs::write(root.join("large.bin"), vec![b'a'; BYTES]).expect("a file"));
    // Until it has been as it is for two seconds its tag is a weak one, which promises less.
    std::thread::sleep(Duration::from_millis(2_200));
    let mut socket = server.connect("127.0.0.1");
    socket.write_all(http1::head("a.example", "/large.bin", &[]).as_bytes()).expect("it reads");
    let mut first = vec![0; 64 << 10];
    socket.read_exact(&mut first).expect("a beginning");
    // In place, and as long as it was.
    let mut file = OpenOptions::new().write(true).open(server.files.path().join("site/large.bin")).expect("the file");
    file.rewind().and_then(|()| file.write_all(&vec![b'b'; BYTES])).and_then(|()| file.sync_all()).expect("written");
    let (rest, _) = http1::read_to_end(&mut socket);
    let all = [first, rest].concat();
    let reply = http1::Reply::parse(&all).expect("a response");
    assert_eq!(reply.field("content-length"), Some(&*BYTES.to_string()));
    assert!(reply.field("etag").is_some_and(|tag| tag.starts_with('"')), "{}", reply.head);
    let (old, new) = (reply.body.contains(&b'a'), reply.body.contains(&b'b'));
    assert!(reply.body.len() < BYTES || !(old && new), "half of each, under {:?}", reply.field("etag"));
    // Not changed meanwhile, it comes whole.
    assert_eq!(server.get("/large.bin", &[]).body.len(), BYTES);
}

#[test]
fn what_editors_leave_is_not_served() {
    let names =
        ["index.html~", "index.html.bak", "index.html.orig", ".index.html.swp", "#index.html#", "config.php.save"];
    let server = serve(|root| {
        for name in names {
            std::fs::write(root.join(name), "secret").expect("a file");
        }
    });
    for path in [
        "/index.html~",
        "/index.html%7e",
        "/index.html.bak",
        "/index.html.orig",
        "/.index.html.swp",
        "/%23index.html%23",
        "/config.php.save",
    ] {
        let reply = server.get(path, &[]);
        assert!(reply.status == 404 && !reply.text().contains("secret"), "{path}: {}", reply.status);
    }
    assert_eq!(server.get("/", &[]).status, 200);
}

#[test]
fn the_limit_of_descriptors_is_raised_at_the_start() {
    let files = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("prlimit");
    command.args(["--nofile=256:4096", env!("CARGO_BIN_EXE_headstart"), "serve", "--no-state"]);
    command.args(["--set", "listen=http://127.0.0.1:0"]).env("HOME", files.path()).stdin(Stdio::null());
    let program = Program::start(&mut command);
    program.line(0, "http://127.0.0.1:");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.id())).expect("a process");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit");
    let figures: Vec<&str> = files.split_whitespace().skip(3).take(2).collect();
    assert_eq!(figures, ["4096", "4096"], "{files}");
}

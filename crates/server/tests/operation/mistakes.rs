//! Each mistake is one line that names the place and the way out, and `check` and `serve` say the same.

use std::process::Command;

use super::rig::Files;

/// A mistake: in the file, on the command line, in the environment; and parts of the line about it.
#[derive(Default)]
struct Mistake {
    file: &'static str,
    words: &'static [&'static str],
    variable: Option<(&'static str, &'static str)>,
    line: &'static [&'static str],
}

const fn in_file(file: &'static str, line: &'static [&'static str]) -> Mistake {
    Mistake { file, words: &[], variable: None, line }
}

const fn typed(words: &'static [&'static str], line: &'static [&'static str]) -> Mistake {
    Mistake { file: "", words, variable: None, line }
}

const fn in_environment(name: &'static str, value: &'static str, line: &'static [&'static str]) -> Mistake {
    Mistake { file: "", words: &[], variable: Some((name, value)), line }
}

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    // The file as such.
    in_file("[learn", &["x.toml:1:"]),
    in_file("wndow = 3", &["x.toml:1:1: wndow: no such setting"]),
    in_file("[lern]", &["x.toml:1:2: lern: no such setting; did you mean `learn`?"]),
    in_file("learn = 3", &["x.toml:1:9: learn: has to be a table, not the number 3"]),
    in_file("[learn]\nwindow = 1\nwindow = 2", &["x.toml:3:1: "]),
    // What is learned and sent.
    in_file("[learn]\nwindow = \"soon\"", &["x.toml:2:10: learn.window: has to be a time, such as"]),
    in_file("[learn]\nwindow = \"2h\"", &["x.toml:2:10: learn.window: 2h is out of range: 1ms to 1h"]),
    in_file("[learn]\nhalf_life = 1", &["learn.half_life: 1s is out of range: 60s to 365d"]),
    in_file("[learn]\nholdout = -1", &["learn.holdout: has to be a whole number, not the number -1"]),
    in_file("[learn]\nmin_networks = 0", &["learn.min_networks: 0 is out of range: 1 to 16"]),
    in_file("[learn]\nmemory = \"12 apples\"", &["learn.memory: has to be bytes, such as"]),
    in_file("[push]\nthreshold = 2.0", &["push.threshold: 2 is out of range: 0 to 1"]),
    in_file("[push]\nmax_per_page = 5000", &["push.max_per_page: 5000 is out of range: 0 to 1024"]),
    in_file("[hint]\nthreshold = \"high\"", &["hint.threshold: has to be a number, not \"high\""]),
    in_file("[cookie]\nformat = \"biscuit\"", &["cookie.format: \"biscuit\" is not one of headstart, go-casper"]),
    in_file("[cookie]\nformat = \"go-casper:x:1\"", &["cookie.format: \"x\" is not a number"]),
    in_file("[cookie]\nverify = \"maybe\"", &["cookie.verify: \"maybe\" is not one of always, mutable, never"]),
    // Connections.
    in_file("[limits]\nmax_connections = 0", &["limits.max_connections: 0 is out of range"]),
    in_file("[limits]\ntrusted_proxies = [\"10.0.0.0/33\"]", &["x.toml:2:20: limits.trusted_proxies: has to be an address"]),
    in_file("[limits]\nforwarded_by = \"x-real-ip\"", &["is not one of x-forwarded-for, forwarded"]),
    in_file("[timeouts]\nidle = \"1ms\"", &["timeouts.idle: 1ms is out of range: 100ms to 365d"]),
    in_file("[h2]\nmax_header_list = 1", &["h2.max_header_list: 1 bytes is out of range: 1KiB to"]),
    in_file("[h2]\nmin_body_rate = \"fast\"", &["h2.min_body_rate: has to be a whole number"]),
    // Listeners.
    in_file("listen = \"8443\"", &["listen[1].address: \"8443\" is not of the form HOST:PORT"]),
    in_file("listen = \"a:x\"", &["\"x\" is not a port"]),
    in_file("listen = \"::1:80\"", &["an IPv6 address goes in brackets"]),
    in_file("listen = \"ftp://a:1\"", &["\"ftp\" is neither http nor https"]),
    in_file("[[listen]]\naddress = \"http://localhost:0\"\ntls = true", &["x.toml:3:7: listen[1].tls: contradicts"]),
    in_file("listen = [\"localhost:7\", \"127.0.0.1:7\"]", &["is taken already by x.toml:1:11"]),
    in_file("[[listen]]\naddress = \"a:1\"\nsystemd = \"web\"", &["not both"]),
    in_file("listen = \"no-such-host.invalid:0\"", &["listen[1].address: cannot listen on \"no-such-host.invalid:0\""]),
    in_file("listen = \"192.0.2.77:0\"", &["cannot listen on 192.0.2.77:0"]),
    // Sites of files.
    in_file("[[site]]\nroot = \"none\"", &["x.toml:2:8: site[1].root: cannot serve none: No such file"]),
    in_file("[[site]]\nroot = \"file.txt\"", &["site[1].root: cannot serve file.txt"]),
    in_file("[[site]]\npath = \"/\"", &["x.toml:1:1: site[1]: needs a `root` (a directory) or an `upstream`"]),
    in_file("[[site]]\nroot = \"site\"\nhosts = [\"a.example:443\"]", &["site[1].hosts: \"a.example:443\" has a port"]),
    in_file("[[site]]\nroot = \"site\"\nhosts = [\"https://a\"]", &["only the name of the host belongs here"]),
    in_file("[[site]]\nroot = \"site\"\nhosts = [\"a.*.b\"]", &["has a * elsewhere than in front"]),
    in_file("[[site]]\nroot = \"site\"\npath = \"shop\"", &["site[1].path: has to begin with a slash"]),
    in_file("[[site]]\nroot = \"site\"\nhosts = [\"a\"]\n[[site]]\nroot = \"site\"\nhosts = [\"a\"]",
        &["x.toml:6:10: site[2].hosts: a with the path / is answered by site[1] already"]),
    in_file("[[site]]\nroot = \"site\"\n[[site]]\nroot = \"site\"", &["site[2]: has neither hosts nor a path of its own"]),
    in_file("[[site]]\nroot = \"site\"\nmax_pushes = 3", &["site[1]: a budget of its own is for a site with `hosts`"]),
    in_file("[[site]]\nroot = \"site\"\nindex = \"../x\"", &["site[1].index: \"../x\" is not the name of a file below"]),
    in_file("[[site]]\nroot = \"site\"\nfallback = \"/x\"", &["site[1].fallback: \"/x\" is not the name of a file below"]),
    in_file("[[site]]\nroot = \"site\"\nerror_pages = { 200 = \"a\" }", &["site[1].error_pages.200: is not the status"]),
    in_file("[[site]]\nroot = \"site\"\ncache_control = { \"[\" = \"x\" }", &["is no pattern of paths"]),
    in_file("[[site]]\nroot = \"site\"\nheaders = { content-length = \"1\" }", &["is set by the server itself"]),
    in_file("[[site]]\nroot = \"site\"\n[[site.header]]\nname = \"a\"", &["site[1].header[1]: needs a `name` and a `value`"]),
    in_file("[[site]]\nroot = \"site\"\nsymlinks = \"maybe\"", &["\"maybe\" is not one of deny, within, follow"]),
    in_file("[[site]]\nroot = \"site\"\nsymlink = \"deny\"", &["site[1].symlink: no such setting; did you mean `symlinks`?"]),
    in_file("[[site]]\nroot = \"site\"\n[[site.redirect]]\nfrom = \"/a\"", &["site[1].redirect[1]: needs a `from`"]),
    in_file("[[site]]\nroot = \"site\"\n[[site.redirect]]\nfrom = \"a\"\nto = \"/b\"", &["redirect[1].from: \"a\" has to begin"]),
    in_file("[[site]]\nroot = \"site\"\n[[site.redirect]]\nfrom = \"/*\"\nto = \"https://$1/\"", &["x.toml:5:6: site[1].redirect[1].to: ", "anyone could lead elsewhere"]),
    in_file("[[site]]\nroot = \"site\"\n[[site.redirect]]\nfrom = \"/a\"\nto = \"/b\"\nstatus = 200", &["redirect[1].status: 200 is not one of 301"]),
    in_file("listen = \"http://localhost:0\"\n[[site]]\nroot = \"site\"\nhttps = true", &["site[1].https: has nowhere to redirect to"]),
    in_file("[[listen]]\naddress = \"localhost:0\"\nhttps = true", &["listen[1].https: is for a listener without TLS"]),
    // Sites of applications.
    in_file("[[site]]\nroot = \"site\"\nupstream = \"http://a\"", &["site[1]: has both a `root` and an `upstream`"]),
    in_file("[[site]]\nupstream = \"ftp://app:3000\"", &["x.toml:2:12: site[1].upstream: "]),
    in_file("[[site]]\nupstream = []", &["site[1]: names no server in `upstream`"]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\nbalance = \"random\"", &["is not one of round_robin, least_open"]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\nprobe = \"health\"", &["site[1].proxy.probe: has to be a path"]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\nprobe_status = \"good\"", &["has to be a range of statuses"]),
    in_file("[[site]]\nupstream = \"https://a\"\n[site.proxy]\nca = \"none.pem\"", &["site[1]", "none.pem"]),
    in_file("[[site]]\nupstream = \"https://a\"\n[site.proxy]\nca = \"a.crt\"\ninsecure = true", &["contradicts `ca`"]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\ncache = \"everything\"", &["is not one of off, pushes, assets, all"]),
    in_file("[[site]]\nupstream = \"unix:app.sock\"", &["x.toml:2:12: site[1].upstream: ", "does not name a socket by its whole path, as unix:/run/app.sock does"]),
    in_file("[[site]]\nupstream = \"http://a/b?c\"", &["site[1].upstream: ", "has a query; requests keep their own"]),
    in_file("[[site]]\nupstream = \"http://a/../b\"", &["site[1].upstream: ", "a segment that is empty or of dots"]),
    in_file("[[site]]\npath = \"/shop\"\nupstream = \"http://a\"\n[site.proxy]\nstrip_prefix = \"/cart\"",
        &["x.toml:5:16: site[1].proxy.strip_prefix: \"/cart\" is not what all paths of this site begin with: its `path` is \"/shop\""]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\nstrip_prefix = \"shop\"", &["strip_prefix: has to be a path of at least one segment"]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\nrequest_headers = { host = \"b\" }", &["request_headers.host: is what the setting `host`"]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\nremove_request_headers = [\"a b\"]", &["\"a b\" is not the name of a header field"]),
    in_file("[[site]]\nupstream = \"http://a\"\n[site.proxy]\ncompress_from = \"some\"", &["compress_from: has to be bytes, such as"]),
    // Certificates.
    in_file("[tls]\ncert = \"a.crt\"", &["tls.cert: needs its `key` beside it"]),
    in_file("[tls]\nkey = \"a.key\"", &["tls.key: needs its `cert` beside it"]),
    in_file("[tls]\ncert = \"none.crt\"\nkey = \"a.key\"", &["tls.cert: cannot read the certificate none.crt: No such file"]),
    in_file("[tls]\ncert = \"a.crt\"\nkey = \"b.key\"", &["tls.cert: cannot use", "the private key does not belong"]),
    in_file("[tls]\ncert = \"file.txt\"\nkey = \"a.key\"", &["tls.cert: cannot read the certificate file.txt"]),
    in_file("[tls]\ncert = \"a.crt\"\nkey = \"file.txt\"", &["tls.key: cannot read the private key file.txt"]),
    in_file("[tls]\nmin_version = \"1.1\"", &["tls.min_version: \"1.1\" is not one of 1.2, 1.3"]),
    in_file("[[site]]\nroot = \"site\"\nhosts = [\"b.example\"]\ncert = \"a.crt\"\nkey = \"a.key\"",
        &["x.toml:4:8: site[1].cert: the certificate a.crt is not for b.example"]),
    in_file("[tls.acme]\ndomains = [\"*.example.org\"]", &["x.toml:2:12: tls.acme.domains: \"*.example.org\" is a wildcard", "name each host"]),
    in_file("[tls.acme]\ndomains = [\"192.0.2.1\"]", &["tls.acme.domains: \"192.0.2.1\" is no public name"]),
    in_file("[tls.acme]\ncontact = [\"ops\"]\ndomains = [\"a.example\"]", &["tls.acme.contact: \"ops\" is not the address of a mailbox"]),
    in_file("[tls.acme]\ndirectory = \"http://a/dir\"\ndomains = [\"a.example\"]", &["tls.acme.directory: \"http://a/dir\" is neither an https:// URL nor one of letsencrypt"]),
    in_file("[tls.acme]\nca = \"none.pem\"\ndomains = [\"a.example\"]", &["x.toml:2:6: tls.acme.ca: cannot read the certificate none.pem"]),
    in_file("[tls.acme]\ndomains = [\"a.example\"]\n[[site]]\nroot = \"site\"\nhosts = [\"b.example\"]", &["tls.acme.domains: no site answers for a.example"]),
    in_file("[tls.acme]\nbinding_id = \"k\"\ndomains = [\"a.example\"]", &["x.toml:2:14: tls.acme.binding_id: needs the key that belongs to it: `binding_key`"]),
    in_file("[tls.acme]\nbinding_id = \"k\"\nbinding_key = \"none.key\"\ndomains = [\"a.example\"]", &["x.toml:3:15: tls.acme.binding_key: cannot read", "none.key"]),
    in_file("[tls.acme]", &["x.toml:1:", "tls.acme: names no domain"]),
    in_file("listen = \"http://localhost:0\"\n[tls.acme]\ndomains = [\"a.example\"]", &["x.toml:2:", "tls.acme: is of no use: no listener has TLS"]),
    // Rules.
    in_file("[[rule]]\nassets = \"/x\"", &["rule[1]: needs an `action`: send, push"]),
    in_file("[[rule]]\naction = \"sned\"\nassets = \"/x\"", &["rule[1].action: \"sned\" is not one of send, push"]),
    in_file("[[rule]]\naction = \"never\"", &["rule[1]: needs `assets`"]),
    in_file("[[rule]]\naction = \"never\"\nassets = \"/[\"", &["rule[1].assets: \"/[\""]),
    in_file("rules = \"none.toml\"", &["rules: cannot read the rules none.toml"]),
    // What is kept and said.
    in_file("[state]\nfile = \"site\"", &["state.file: cannot read the snapshot site: it is a directory"]),
    in_file("[state]\nfile = \"pipe\"", &["state.file: cannot read the snapshot pipe: it is no regular file"]),
    in_file("[state]\nfile = \"none/snapshot\"", &["state.file: cannot write the snapshot none/snapshot"]),
    // Only a trial shows that nothing can be made there.
    in_file("[state]\ndir = \"/proc/headstart\"", &["x.toml:2:7: state.dir: cannot make the state directory /proc/headstart: "]),
    in_file("[state]\ndir = \"file.txt\"", &["state.dir: cannot make the state directory file.txt: "]),
    in_file("[state]\nfile = \"x\"\nsave = false", &["state.file: is named", "nothing is to be saved"]),
    in_file("[state]\ninterval = 0", &["state.interval: 0s is out of range"]),
    in_file("[log]\naccess = \"none/access.log\"", &["log.access: cannot write the access log none/access.log"]),
    in_file("[log]\naccess = \"site\"", &["log.access: cannot write the access log site: it is a directory"]),
    in_file("[log]\nformat = \"xml\"", &["log.format: \"xml\" is not one of human, json"]),
    in_file("[log]\nfilter = \"a=b=c\"", &["log.filter: cannot use \"a=b=c\""]),
    in_file("[log]\naccess_format = \"common\"", &["log.access_format: \"common\" is not one of combined, json"]),
    in_file("[admin]\nlisten = \"0.0.0.0:0\"", &["admin.listen: the admin listener would be open to everyone", "token"]),
    in_file("[admin]\nlisten = \"9180\"", &["admin.listen: \"9180\" is not of the form HOST:PORT"]),
    in_file("[admin]\ntoken = \"\"", &["admin.token: is empty"]),
    // Flags and variables.
    typed(&["--windw", "3"], &["'--windw'", "a similar argument exists: '--window'"]),
    typed(&["--window", "soon"], &["--window: learn.window: has to be a time"]),
    typed(&["--no-state", "--state", "x"], &["--state: state.file: is named (the flag --state)"]),
    typed(&["--config", "none.toml"], &["none.toml: cannot be read: No such file"]),
    typed(&["--set", "learn"], &["--set: \"learn\" is not of the form KEY=VALUE"]),
    typed(&["--set", "learn.windwo=1"], &["--set learn.windwo: learn.windwo: no such setting; did you mean `window`?"]),
    typed(&["--set", "site.nonsense=1"], &["--set site.nonsense: site[1].nonsense: no such setting"]),
    typed(&["--set", "site[3].path=/x"], &["--set site[3].path: site[3].path: the number of `site` goes from 1 to 1"]),
    typed(&["--admin", "0.0.0.0:0"], &["--admin: admin.listen: the admin listener would be open to everyone"]),
    in_environment("HEADSTART_FOO", "1", &["HEADSTART_FOO: no such setting"]),
    in_environment("HEADSTART_LEARN_WINDWO", "1", &["HEADSTART_LEARN_WINDWO: no such setting; did you mean HEADSTART_LEARN_WINDOW?"]),
    in_environment("HEADSTART_LEARN_WINDOW", "soon", &["HEADSTART_LEARN_WINDOW: learn.window: has to be a time"]),
];

#[test]
fn check_and_serve_say_the_same_of_every_mistake() {
    let files = Files::new();
    files.write("site/index.html", "x");
    files.write("file.txt", "neither a certificate nor a key");
    files.certify("a", "a.example");
    files.certify("b", "b.example");
    assert!(Command::new("mkfifo").arg(files.path("pipe")).status().expect("mkfifo runs").success());
    assert!(MISTAKES.len() >= 60);
    let mut wrong = Vec::new();
    for mistake in MISTAKES {
        let what = format!("{:?} {:?} {:?}", mistake.file, mistake.words, mistake.variable);
        files.write("x.toml", mistake.file);
        let run = |command: &str| {
            let mut program = files.program();
            program.arg(command).args(mistake.words);
            if !mistake.file.is_empty() {
                program.args(["--config", "x.toml"]);
            }
            if let Some((name, value)) = mistake.variable {
                program.env(name, value);
            }
            let output = program.output().expect("the program starts");
            let text = |bytes| String::from_utf8(bytes).expect("text");
            (output.status.code(), text(output.stdout), text(output.stderr))
        };
        let (code, said, complained) = run("serve");
        let lines: Vec<_> = complained.lines().collect();
        let one_line = lines.len() == 1 && said.is_empty() && code == Some(2);
        let line = lines.first().and_then(|line| line.strip_prefix("headstart: ")).unwrap_or_default();
        if !one_line || !mistake.line.iter().all(|part| line.contains(part)) {
            wrong.push(format!("serve {what}: {code:?} {said}{complained}"));
        }
        let (code, said, complained) = run("check");
        // The parser of the command line speaks for all commands.
        let same = if complained.is_empty() {
            code == Some(1) && said == format!("{line}\n1 mistake\n")
        } else {
            code == Some(2) && complained == format!("headstart: {line}\n")
        };
        if !same {
            wrong.push(format!("check {what}: {code:?} {said}{complained}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

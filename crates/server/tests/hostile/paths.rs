//! Paths that name nothing that is served.

/// Spellings of the directory above.
const UP: [&str; 34] = [
    "..",
    "%2e%2e",
    "%2E%2E",
    ".%2e",
    "%2e.",
    // Encoded twice, three times; halves of an encoding.
    "%252e%252e",
    "%25252e%25252e",
    "%2%65%2%65",
    "%%32%65%%32%65",
    "%u002e%u002e",
    "%uff0e%uff0e",
    "&#46;&#46;",
    "\\x2e\\x2e",
    // Longer than need be, and other letters that look or fold alike.
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%f0%80%80%ae%f0%80%80%ae",
    "%c0%2e%c0%2e",
    "%ef%bc%8e%ef%bc%8e",
    "%e2%80%a5",
    "%e2%80%a4%e2%80%a4",
    // With something before, behind or between.
    "..%00",
    "..%0a",
    "..%0d%0a",
    "..%20",
    "..%09",
    "..;",
    "..;x=y",
    ".%00.",
    "..%7f",
    "...",
    "....",
    "..%5c",
    "..%2f",
    "..%c0%af",
];

/// The prefix of the path.
const FROM: [&str; 4] = ["/", "/sub/", "/./", "//"];

/// The files there.
const TARGETS: [&str; 2] = ["canary.txt", "root-beside/canary.txt"];

/// Each by itself.
const SINGLE: [&str; 117] = [
    // Up in one word.
    "/..",
    "/../",
    "/%2e%2e",
    "/%2e%2e/",
    "/..%2fcanary.txt",
    "/..%2Fcanary.txt",
    "/..%252fcanary.txt",
    "/..%5ccanary.txt",
    "/..%5Ccanary.txt",
    "/..%255ccanary.txt",
    "/..\\canary.txt",
    "/..%c0%afcanary.txt",
    "/..%c1%9ccanary.txt",
    "/..%e0%80%afcanary.txt",
    "/..%ef%bc%8fcanary.txt",
    "/..%e2%88%95canary.txt",
    "/..%u2215canary.txt",
    "/%2e%2e%2fcanary.txt",
    "/%2e%2e%5ccanary.txt",
    "/%252e%252e%252fcanary.txt",
    "/sub/..%2f..%2fcanary.txt",
    "/sub/..%5c..%5ccanary.txt",
    "/sub\\..\\..\\canary.txt",
    "/%5c..%5ccanary.txt",
    "/\\..\\canary.txt",
    "/sub/deep/../../../canary.txt",
    "/sub/./.././../canary.txt",
    "/sub//..//../canary.txt",
    "/sub/..",
    "/sub/.",
    "/.",
    "/./",
    "/./plain.txt",
    "/sub/%2e/style.css",
    "/sub/../plain.txt",
    "/etc/../../canary.txt",
    "/none/../../canary.txt",
    "/plain.txt/../../canary.txt",
    "/plain.txt/..%2f..%2fcanary.txt",
    // Absolute.
    "//canary.txt",
    "//etc/passwd",
    "///etc/passwd",
    "/%2fetc/passwd",
    "/%2Fetc%2Fpasswd",
    "/%5cetc%5cpasswd",
    "/etc/passwd",
    "/etc/passwd%00",
    "/etc/passwd%00.html",
    "/proc/self/environ",
    "/proc/self/root/etc/passwd",
    "/c:/windows/win.ini",
    "/C:%5cwindows%5cwin.ini",
    "/%5c%5chost%5cshare",
    "/file:///etc/passwd",
    "/~root/.bashrc",
    "/~/canary.txt",
    // Links that lead out, and what is no file.
    "/out",
    "/out/",
    "/sub/out",
    "/up/canary.txt",
    "/up/",
    "/up/root/plain.txt",
    "/beside/canary.txt",
    "/absolute",
    "/top/etc/passwd",
    "/top/",
    "/proc/environ",
    "/proc/cwd/canary.txt",
    "/zero",
    "/stdin",
    "/twice",
    "/loop",
    "/dangling",
    "/pipe",
    "/pipe/",
    "/socket",
    "/plain.txt.br",
    "/sub/style.css.gz",
    // Hidden names.
    "/.env",
    "/.env/",
    "/%2eenv",
    "/%2Eenv",
    "/.ENV",
    "/.env%20",
    "/.env%00",
    "/.env;",
    "/.env/.",
    "/.htpasswd",
    "/.git/config",
    "/.git%2fconfig",
    "/.git\\config",
    "/.git/",
    "/.git",
    "/./.git/config",
    "/%2egit/config",
    "/.%67it/%63onfig",
    "/.well-known/.hidden/canary.txt",
    "/.well-known/../.env",
    "/.well-known/%2e%2e/.env",
    "/.well-knownx",
    "/sub/.secret",
    "/sub/%2esecret",
    "/....",
    "/..../",
    "/.canary.txt",
    // Names that are none.
    "/plain.txt/",
    "/plain.txt/x",
    "/plain.txt%00",
    "/plain.txt%00.css",
    "/plain.txt%20",
    "/plain.txt.",
    "/plain.txt::$DATA",
    "/plain%2etxt%2e",
    "/plain.txt%",
    "/plain.txt%zz",
    "/plain.txt%2",
    "/%ff%fe",
];

/// All of them.
pub(crate) fn all() -> Vec<String> {
    let mut paths: Vec<String> = SINGLE.map(String::from).into();
    for up in UP {
        for from in FROM {
            for target in TARGETS {
                let depth = if from == "/sub/" { 2 } else { 1 };
                paths.push(format!("{from}{}{target}", format!("{up}/").repeat(depth)));
            }
        }
    }
    paths.push(format!("/{}canary.txt", "../".repeat(500)));
    paths.push(format!("/{}canary.txt", "%2e%2e/".repeat(200)));
    paths.push(format!("/{}", "a".repeat(5000)));
    paths.push(format!("/{}", "a/".repeat(2500)));
    paths.push(format!("/{}", "%41".repeat(1500)));
    paths
}

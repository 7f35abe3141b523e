//! Requests that are wrong in other ways than their path.

/// One request.
pub(crate) enum Case {
    /// Over HTTP/1.1, byte by byte.
    Raw(String),
    /// Over HTTP/2: a path and further fields.
    Fields(String, Vec<(String, String)>),
}

/// Request lines; `host` and the end are added.
const LINES: [&str; 44] = [
    "GET https://127.0.0.1/../canary.txt HTTP/1.1",
    "GET https://127.0.0.1/%2e%2e/canary.txt HTTP/1.1",
    "GET https://127.0.0.1/.env HTTP/1.1",
    "GET https://127.0.0.1/plain.txt HTTP/1.1",
    "GET http://127.0.0.1/plain.txt HTTP/1.1",
    "GET https://other.example/plain.txt HTTP/1.1",
    "GET https://user:word@127.0.0.1/plain.txt HTTP/1.1",
    "GET https://127.0.0.1:99999/ HTTP/1.1",
    "GET file:///etc/passwd HTTP/1.1",
    "GET ftp://127.0.0.1/canary.txt HTTP/1.1",
    "GET gopher://127.0.0.1/ HTTP/1.1",
    "GET ../canary.txt HTTP/1.1",
    "GET canary.txt HTTP/1.1",
    "GET ..\\canary.txt HTTP/1.1",
    "GET ?x HTTP/1.1",
    "GET # HTTP/1.1",
    "GET /plain.txt#/../../canary.txt HTTP/1.1",
    "GET /?../../canary.txt HTTP/1.1",
    "GET /plain.txt?/../../canary.txt HTTP/1.1",
    "GET /;/../canary.txt HTTP/1.1",
    "GET * HTTP/1.1",
    "GET  / HTTP/1.1",
    "GET\t/\tHTTP/1.1",
    "GET / /../canary.txt HTTP/1.1",
    "GET / HTTP/1.1 HTTP/1.1",
    "GET /",
    "GET",
    "/ HTTP/1.1",
    "GET / HTTP/0.9",
    "GET / HTTP/1.0",
    "GET / HTTP/1.2",
    "GET / HTTP/2.0",
    "GET / HTTP/11",
    "GET / http/1.1",
    "get / HTTP/1.1",
    "G\u{e9}T / HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "OPTIONS / HTTP/1.1",
    "CONNECT 127.0.0.1:22 HTTP/1.1",
    "CONNECT / HTTP/1.1",
    "TRACE / HTTP/1.1",
    "DEBUG / HTTP/1.1",
    "PROPFIND / HTTP/1.1",
    "GET /\u{1f480} HTTP/1.1",
];

/// Fields after `GET /plain.txt HTTP/1.1`, which has no other.
const HEADS: [&str; 38] = [
    "",
    "host:\r\n",
    "host: a b\r\n",
    "host: a\r\nhost: b\r\n",
    "host: a\r\nhost: a\r\n",
    "host: a, b\r\n",
    "host: ../..\r\n",
    "host: a/../canary.txt\r\n",
    "host: a:b\r\n",
    "host: a:99999\r\n",
    "host: a@b\r\n",
    "host: [::1\r\n",
    "host: \u{e9}\r\n",
    "host: %00\r\n",
    "host : a\r\n",
    " host: a\r\n",
    "host: a\r\n folded\r\n",
    "host: a\r\nx\r\n",
    "host: a\r\nx y: z\r\n",
    "host: a\r\n: z\r\n",
    "host: a\r\nx: \u{1}\r\n",
    "host: a\nx: y\r\n",
    "host: a\rx: y\r\n",
    "host: a\r\ncontent-length: -1\r\n",
    "host: a\r\ncontent-length: 5, 6\r\n",
    "host: a\r\ncontent-length: 99999999999999999999999\r\n",
    "host: a\r\ncontent-length: 0x5\r\n",
    "host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n",
    "host: a\r\ntransfer-encoding: gzip\r\n",
    "host: a\r\ntransfer-encoding: chunked, chunked\r\n",
    "host: a\r\nexpect: 200-maybe\r\n",
    "host: a\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk\r\n",
    "host: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n",
    "host: a\r\nconnection: host, x\r\n",
    "host: a\r\nx-original-url: /../canary.txt\r\n",
    "host: a\r\nx-rewrite-url: /.env\r\n",
    "host: a\r\nx-sendfile: ../canary.txt\r\nx-accel-redirect: /.env\r\n",
    "host: a\r\nx-http-method-override: DELETE\r\n",
];

/// What stands where the size of a chunk should.
const CHUNKS: [&str; 10] = [
    "\r\n",
    ";x\r\n",
    "g\r\n",
    "-1\r\n",
    "0x5\r\n",
    "5\nhello\n",
    "FFFFFFFFFFFFFFFFF\r\n",
    "2\r\nhello\r\n",
    "\0\r\n",
    "1;a\nb\r\n",
];

/// Requests before them, which end no connection.
const BEFORE: [&str; 3] = [
    "",
    "GET /plain.txt HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET /plain.txt HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
];

/// Fields of a well-formed request, by both protocols.
const FIELDS: [(&str, &str); 44] = [
    ("range", "bytes=0-"),
    ("range", "bytes=-1"),
    ("range", "bytes=-0"),
    ("range", "bytes=-99999999999999999999"),
    ("range", "bytes=99999999999999999999-"),
    ("range", "bytes=18446744073709551615-18446744073709551615"),
    ("range", "bytes=9223372036854775807-9223372036854775808"),
    ("range", "bytes=5-2"),
    ("range", "bytes=a-b"),
    ("range", "bytes=0-0,-1,5-6,7-8"),
    ("range", "bytes=0-,0-,0-,0-,0-,0-,0-"),
    ("range", "bytes=,,,,,"),
    ("range", "lines=1-2"),
    ("range", "bytes"),
    ("if-range", "\"x"),
    ("if-range", "W/\"x\""),
    ("if-match", "*"),
    ("if-match", "\"a\",,,\"b"),
    ("if-none-match", "*"),
    ("if-none-match", "W/"),
    ("if-none-match", "\"\",\"\",\"\""),
    ("if-modified-since", "Mon, 32 Feb 9999 25:61:61 GMT"),
    ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("if-modified-since", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ("if-unmodified-since", "-1"),
    ("accept-encoding", "br;q=1e309, gzip;q=-1, zstd;q=nan"),
    ("accept-encoding", "*;q=0, identity;q=0"),
    ("accept-encoding", "../../canary"),
    ("accept-encoding", ",,,;;;q=,"),
    ("accept", "*/*;q=,,,"),
    ("referer", "https://127.0.0.1/../canary.txt"),
    ("referer", "https://[::1"),
    ("referer", "\u{e9}\u{1f480}"),
    ("cookie", "__Host-headstart=////////////////////"),
    ("cookie", "__Host-headstart=; __Host-headstart=AAAA; ;;;="),
    ("cookie", "x-go-casper=\"\"; h2o_casper=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("cache-digest", "AAAA; complete; stale, ////"),
    ("priority", "u=99, i=?2"),
    ("sec-fetch-mode", "navigate, navigate"),
    ("content-encoding", "br"),
    ("x-forwarded-for", "' or 1=1 --"),
    ("forwarded", "for=\"[::1"),
    ("early-data", "1"),
    ("te", "trailers, deflate;q=0.5"),
];

/// All of them, and what is only too much.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for line in LINES {
        cases.push(Case::Raw(format!("{line}\r\nhost: a\r\nconnection: close\r\n\r\n")));
    }
    for head in HEADS {
        cases.push(Case::Raw(format!("GET /plain.txt HTTP/1.1\r\n{head}connection: close\r\n\r\n")));
    }
    for before in BEFORE {
        cases.extend(CHUNKS.map(|chunks| {
            Case::Raw(format!(
                "{before}POST /plain.txt HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"
            ))
        }));
    }
    let many = (0..2000).map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(",");
    let tags = "\"0123456789abcdef\",".repeat(600);
    let large = [("range", format!("bytes={many}")), ("if-none-match", tags), ("x", "y".repeat(200_000))];
    let fields = FIELDS.map(|(name, value)| (name, value.to_owned()));
    for (name, value) in fields.into_iter().chain(large) {
        cases.push(Case::Raw(format!(
            "GET /plain.txt HTTP/1.1\r\nhost: a\r\n{name}: {value}\r\nconnection: close\r\n\r\n"
        )));
        cases.push(Case::Fields("/plain.txt".to_owned(), vec![(name.to_owned(), value)]));
    }
    let crowd = (0..3000).map(|n| format!("x-{n}: y\r\n")).collect::<Vec<_>>().concat();
    cases.push(Case::Raw(format!("GET / HTTP/1.1\r\nhost: a\r\n{crowd}connection: close\r\n\r\n")));
    cases.push(Case::Raw(format!("GET /{} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "a".repeat(300_000))));
    cases.push(Case::Fields(format!("/?{}", "a".repeat(14_000)), Vec::new()));
    let both = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for (name, value) in [
        ("host", "other.example"),
        ("host", "a, b"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("content-length", "5"),
        ("Upper", "x"),
        ("x y", "z"),
        ("", "z"),
        ("x", "a\r\nb: c"),
        ("x", "\0"),
        (":path", "/../canary.txt"),
        (":authority", "other.example"),
        (":unknown", "x"),
    ] {
        cases.push(Case::Fields("/plain.txt".to_owned(), both(name, value)));
    }
    cases
}
